// The script that lets zsh complete the program's words.
import {
  firstWords,
  groupWords,
  type Offer,
  type OfferedVerb,
  offeredSettings,
  offeredVerbs,
  quoted,
} from './offers.ts';

/** Text inside the brackets and between the colons of `_arguments`. */
const escaped = (text: string): string => text.replace(/[\\[\]:]/g, '\\$&');

/** A word with its meaning for `_describe`. */
const described = (word: string, meaning: string): string => quoted(`${escaped(word)}:${escaped(meaning)}`);

function action(offer: Offer): string {
  if (offer.kind === 'words') return `(${offer.words.map((word) => word.replace(/ /g, '\\ ')).join(' ')})`;
  if (offer.kind === 'folder') return '_files -/';
  if (offer.kind === 'file') return '_files';
  return offer.kind === 'setting' ? '_autoassign_settings' : ' ';
}

function argumentsOf({ options, argument }: OfferedVerb): string {
  const lines = options.map(({ flag, description, value }) => {
    const place = value === undefined ? '' : `${value.isOptional ? '::' : ':'}value:${action(value)}`;
    return quoted(`${flag}[${escaped(description)}]${place}`);
  });
  const rest = argument.kind === 'anything' ? [] : [quoted(`*:word:${action(argument)}`)];
  return ['_arguments', ...lines, ...rest].join(' \\\n        ');
}

const below = (group: string): readonly OfferedVerb[] =>
  offeredVerbs.filter(({ words }) => words[0] === group && words.length > 1);

const groupLines = groupWords.map(
  (group) => `    ${quoted(group)})
      if (( CURRENT == 3 )); then
        choices=(${below(group)
          .map(({ words, description }) => described(words[1] ?? '', description))
          .join(' ')})
        _describe verb choices
        return
      fi
      verb="$verb $words[3]"
      shift words
      (( CURRENT-- )) ;;`,
);

const valueLines = offeredSettings
  .filter(({ words }) => words.length > 0)
  .map(({ path, words }) => `      ${quoted(path)}) compadd -- ${words.map(quoted).join(' ')} ;;`);

/** The script for zsh, to be a file \`_autoassign\` in a folder of \`fpath\`, or to be evaluated in \`.zshrc\`. */
export const zshScript: string = `#compdef autoassign
# zsh completion of autoassign
_autoassign_settings() {
  if compset -P '*='; then
    case \${IPREFIX%=} in
${valueLines.join('\n')}
    esac
  else
    compadd -S '' -- ${offeredSettings.map(({ path }) => `${path}=`).join(' ')}
  fi
}
_autoassign() {
  local verb=$words[2]
  local -a choices
  if (( CURRENT == 2 )); then
    choices=(${firstWords.map(({ word, description }) => described(word, description)).join(' ')})
    _describe verb choices
    return
  fi
  case $verb in
${groupLines.join('\n')}
  esac
  shift words
  (( CURRENT-- ))
  case $verb in
${offeredVerbs.map((verb) => `    ${quoted(verb.words.join(' '))})\n      ${argumentsOf(verb)} ;;`).join('\n')}
  esac
}
if [[ $funcstack[1] == _autoassign ]]; then _autoassign "$@"; else compdef _autoassign autoassign; fi
`;
