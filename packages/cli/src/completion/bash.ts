// The script that lets bash complete the program's words.
import { firstWords, groupWords, type Offer, offeredSettings, offeredVerbs, quoted } from './offers.ts';

const list = (words: readonly string[]): string => words.map(quoted).join(' ');

function action(offer: Offer): string {
  if (offer.kind === 'words') return `_autoassign_words ${list(offer.words)}`;
  if (offer.kind === 'folder') return '_autoassign_paths -d';
  if (offer.kind === 'file') return '_autoassign_paths -f';
  return offer.kind === 'setting' ? '_autoassign_settings' : ':';
}

/** Lines of a `case`, one for all patterns with the same action. */
function caseLines(entries: readonly (readonly [pattern: string, action: string])[]): string {
  const patterns = new Map<string, string[]>();
  for (const [pattern, what] of entries) patterns.set(what, [...(patterns.get(what) ?? []), pattern]);
  return [...patterns]
    .filter(([what]) => what !== ':')
    .map(([what, those]) => `    ${those.join('|')}) ${what}; return ;;`)
    .join('\n');
}

function values(isOptional: boolean): string {
  return caseLines(
    offeredVerbs.flatMap(({ words, options }) =>
      options
        .filter(({ value }) => value?.isOptional === isOptional)
        .map(({ flag, value }) => [
          quoted(`${words.join(' ')} ${flag}`),
          action(value ?? { kind: 'anything' }),
        ]),
    ) as [string, string][],
  );
}

const groups = groupWords.map((group) => {
  const below = offeredVerbs.filter(({ words }) => words[0] === group && words.length > 1);
  return [quoted(group), `_autoassign_words ${list(below.map(({ words }) => words[1] ?? ''))}`] as const;
});

/** The script for bash, to be evaluated in `.bashrc`. */
export const bashScript: string = `# bash completion of autoassign
_autoassign_words() {
  local word quoted
  for word in "$@"; do
    if [[ $word == "$current"* ]]; then
      printf -v quoted '%q' "$word"
      COMPREPLY+=("$quoted")
    fi
  done
}
_autoassign_paths() {
  compopt -o filenames 2>/dev/null
  local line
  while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen "$1" -- "$current")
}
_autoassign_settings() {
  compopt -o nospace 2>/dev/null
  _autoassign_words ${list(offeredSettings.map(({ path }) => `${path}=`))}
}
_autoassign_setting_values() {
  case $1 in
${caseLines(offeredSettings.filter(({ words }) => words.length > 0).map(({ path, words }) => [quoted(path), `_autoassign_words ${list(words)}`]))}
  esac
}
_autoassign() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD - 1]} verb=\${COMP_WORDS[1]}
  COMPREPLY=()
  if ((COMP_CWORD == 1)); then
    _autoassign_words ${list(firstWords.map(({ word }) => word))} --help --version
    return
  fi
  if ((COMP_CWORD == 2)); then
    case $verb in
${caseLines(groups)}
    esac
  fi
  case $verb in ${groupWords.map(quoted).join('|')}) verb="$verb \${COMP_WORDS[2]}" ;; esac
  if [[ $current == = ]]; then
    current=''
    _autoassign_setting_values "$previous"
    return
  elif [[ $previous == = ]]; then
    _autoassign_setting_values "\${COMP_WORDS[COMP_CWORD - 2]}"
    return
  fi
  case "$verb $previous" in
${values(false)}
  esac
  if [[ $current != -* ]]; then
    case "$verb $previous" in
${values(true)}
    esac
    case $verb in
${caseLines(offeredVerbs.map(({ words, argument }) => [quoted(words.join(' ')), action(argument)]))}
    esac
  else
    case $verb in
${caseLines(offeredVerbs.map(({ words, options }) => [quoted(words.join(' ')), `_autoassign_words ${list(options.map(({ flag }) => flag))}`]))}
    esac
  fi
}
complete -F _autoassign autoassign
`;
