// The script that lets fish complete the program's words.
import { firstWords, groupWords, type Offer, offeredSettings, offeredVerbs } from './offers.ts';

/** Text as one word of fish, in which a backslash stands for itself unless a quote or another follows. */
const quoted = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;

function action(offer: Offer): string {
  if (offer.kind === 'words')
    return ` -xa ${quoted(offer.words.map((word) => word.replace(/ /g, '\\ ')).join(' '))}`;
  if (offer.kind === 'folder') return ' -xa "(__fish_complete_directories)"';
  return offer.kind === 'file' ? ' -rF' : ' -x';
}

const groupLines = groupWords.flatMap((group) =>
  offeredVerbs
    .filter(({ words }) => words[0] === group && words.length > 1)
    .map(
      ({ words, description }) =>
        `complete -c autoassign -n '__autoassign_has 2; and __autoassign_verb ${group}' -a ${words[1]} -d ${quoted(description)}`,
    ),
);

const verbLines = offeredVerbs.flatMap(({ words, options, argument }) => {
  const within = `complete -c autoassign -n '__autoassign_verb ${words.join(' ')}'`;
  const own = options.map(({ flag, description, value }) => {
    const takes = value === undefined || value.isOptional ? '' : action(value);
    return `${within} -l ${flag.slice(2)}${takes} -d ${quoted(description)}`;
  });
  const after = {
    words: argument.kind === 'words' ? [`${within} -a ${quoted(argument.words.join(' '))}`] : [],
    file: [`${within} -F`],
    folder: [`${within} -a "(__fish_complete_directories)"`],
    setting: [`${within} -a "(__autoassign_settings)"`],
    anything: [],
  };
  return [...own, ...after[argument.kind]];
});

const settings = offeredSettings.flatMap(({ path, words }) =>
  words.length === 0 ? [`${path}=`] : words.map((word) => `${path}=${word}`),
);

/** The script for fish, to be `completions/autoassign.fish`. */
export const fishScript: string = `# fish completion of autoassign
function __autoassign_verb
  set -l words (commandline -opc)
  test "$words[2]" = "$argv[1]"; or return 1
  test (count $argv) -lt 2; or test "$words[3]" = "$argv[2]"
end
function __autoassign_has
  test (count (commandline -opc)) -eq $argv[1]
end
function __autoassign_settings
  printf '%s\\n' ${settings.map(quoted).join(' ')}
end
complete -c autoassign -f
${firstWords.map(({ word, description }) => `complete -c autoassign -n '__autoassign_has 1' -a ${word} -d ${quoted(description)}`).join('\n')}
${groupLines.join('\n')}
${verbLines.join('\n')}
`;
