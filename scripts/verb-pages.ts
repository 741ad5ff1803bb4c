// Prints a page for every verb of the program and one for all settings, from the program's own tables, into docs.
// `npm run docs:verbs` rewrites them; with --check it fails when one is out of date.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { presetDescriptions, presetNamed } from '../packages/cli/src/presets.ts';
import type { ArgumentSpec, OptionSpec, VerbSpec } from '../packages/cli/src/program/specification.ts';
import { verbGroups, verbTable } from '../packages/cli/src/program/verbTable.ts';
import { type SettingPath, settingPaths } from '../packages/cli/src/settings/paths.ts';
import { withoutClasses } from '../packages/cli/src/settings/printed.ts';

const docs = fileURLToPath(new URL('../docs/', import.meta.url));
const origin = '<!-- made from the tables of the program by `npm run docs:verbs` -->';

/** Text inside a cell of a table. */
const cell = (text: string): string => text.replace(/[|<]/g, '\\$&').replace(/\n/g, ' ');
const code = (text: string): string => (text === '' ? '' : `\`${text}\``);
const table = (headings: readonly string[], rows: readonly (readonly string[])[]): string =>
  [headings, headings.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');

const fileOf = ({ name }: Pick<VerbSpec, 'name'>): string => `${name.replaceAll(' ', '-')}.md`;

function argumentWords({ name, isList, isOptional }: ArgumentSpec): string {
  const words = isList ? `${name}...` : name;
  return isOptional ? `[${words}]` : `<${words}>`;
}

function optionRow({
  flags,
  description,
  choices,
  default: value,
  isMandatory,
  conflicts,
}: OptionSpec): string[] {
  const usual =
    value === undefined || value === '' ? '' : code(Array.isArray(value) ? value.join(',') : String(value));
  const without = conflicts?.map((name) => `\`--${name}\``).join(', ');
  return [
    `\`${flags}\``,
    cell(description) + (without === undefined ? '' : ` (not with ${without})`),
    choices?.map((word) => code(word)).join(' ') ?? '',
    isMandatory ? 'required' : usual,
  ];
}

function pageOf(spec: VerbSpec): string {
  const { name, description, examples, notes, options } = spec;
  const places = spec.arguments ?? [];
  const usage = [
    'autoassign',
    name,
    ...(options.length === 0 ? [] : ['[options]']),
    ...places.map(argumentWords),
  ];
  const width = Math.max(...examples.map(({ words }) => words.length));
  const lines = examples.map(({ words, meaning }) => `autoassign ${words.padEnd(width)}  # ${meaning}`);
  const takesSettings = places.some(({ completedBy }) => completedBy === 'setting');
  return [
    `# autoassign ${name}`,
    origin,
    `${description[0]?.toUpperCase()}${description.slice(1)}.`,
    `\`\`\`sh\n${usage.join(' ')}\n\`\`\``,
    `## Examples\n\n\`\`\`sh\n${lines.join('\n')}\n\`\`\``,
    ...(places.length === 0
      ? []
      : [
          `## Arguments\n\n${table(
            ['argument', 'meaning', 'values'],
            places.map((place) => [
              `\`${argumentWords(place)}\``,
              cell(place.description),
              place.choices?.map(code).join(' ') ?? '',
            ]),
          )}`,
        ]),
    ...(takesSettings ? ['All settings: [configuration](../configuration.md).'] : []),
    ...(options.length === 0
      ? []
      : [`## Options\n\n${table(['option', 'meaning', 'values', 'default'], options.map(optionRow))}`]),
    ...(notes === undefined ? [] : [`## Notes\n\n${name === 'config' ? `\`\`\`\n${notes}\n\`\`\`` : notes}`]),
  ].join('\n\n');
}

function overview(): string {
  const rows = verbTable.map((spec) => [`[\`${spec.name}\`](${fileOf(spec)})`, cell(spec.description)]);
  return [
    '# Verbs of autoassign',
    origin,
    table(['verb', 'what it does'], rows),
    ...verbGroups.map(({ name, notes }) => `\`${name}\`: ${notes}`),
    'Every verb takes `--help`. Exit codes: 0 all is well, 1 failure, 2 usage, 130 interrupted, 143 terminated. Errors are one line. `--json` prints JSON lines on standard output and nothing else there, `--quiet` nothing but errors; `NO_COLOR` takes the colours away.',
  ].join('\n\n');
}

/** The value of a preset at a path, as it would be typed. */
function valueAt(preset: string, path: string): string {
  const { detector, recipe, images } = presetNamed(preset);
  const all: unknown = withoutClasses({ recipe, images, detector: detector(['object']) });
  const value = path
    .split('.')
    .reduce<unknown>((inner, name) => (inner as Record<string, unknown> | undefined)?.[name], all);
  return value === undefined ? '–' : code(typeof value === 'string' ? value : JSON.stringify(value));
}

const columns = ['small', 'autoassign-r50-fpn-1x-coco'];

/** Whether the object around a setting is of the kind that has it; a loss without a kind is that of AutoAssign. */
function isOfKind(preset: string, path: string, kind: string | undefined): boolean {
  const around = path.slice(0, path.lastIndexOf('.'));
  const own = valueAt(preset, `${around}.kind`).replaceAll('`', '');
  return kind === undefined || own === kind || (own === '–' && kind === 'autoassign');
}

function settingRow({ path, node, kind }: SettingPath): string[] {
  const { description = '', unit, needs = '', enum: words, enumDescriptions } = node;
  const meanings = words
    ?.map((word, i) => `\`${word}\` ${enumDescriptions?.[i]?.replace(/\.$/, '') ?? ''}`)
    .join('; ');
  return [
    `\`${path}\`${kind === undefined ? '' : ` (${kind})`}`,
    cell([description, meanings === undefined ? '' : `${meanings}.`].filter((part) => part !== '').join(' ')),
    words === undefined ? cell(needs) : 'one of these',
    unit ?? '',
    ...columns.map((preset) => (isOfKind(preset, path, kind) ? cell(valueAt(preset, path)) : '–')),
  ];
}

function configuration(): string {
  const leaves = settingPaths.filter(({ node }) => node.type !== undefined && node.type !== 'object');
  const parts = ['recipe', 'images', 'detector'].map((top) => {
    const about = settingPaths.find(({ path }) => path === top)?.node.description ?? '';
    const rows = leaves.filter(({ path }) => path.startsWith(`${top}.`)).map(settingRow);
    return `## ${top}\n\n${about}\n\n${table(['setting', 'meaning', 'accepts', 'unit', ...columns.map(code)], rows)}`;
  });
  const presets = Object.entries(presetDescriptions).map(([name, description]) => [
    code(name),
    cell(description),
    cell(
      Object.entries(presetNamed(name).origin)
        .map(([path, from]) => `${path}: ${from}`)
        .join('; '),
    ),
  ]);
  return [
    '# Configuration',
    origin,
    `Settings come in layers, each in place of the one before: a preset (\`--preset\`), a file (\`--config\`, JSON or YAML, with some of the settings
or the \`config.json\` of an earlier run), options (\`--steps\`, \`--batch\` …), and words such as \`recipe.rate=0.01\`. What they come to is checked as
a whole, printed by \`autoassign config\`, and kept as \`config.json\` in the run's folder.`,
    `\`\`\`sh
autoassign config --preset small > mine.yaml        # every setting with its meaning
autoassign train --data photos --config mine.yaml recipe.optimizer.weightDecay=0.05 'images.train.shortSides=[256,320]'
\`\`\``,
    `Numbers, words, \`true\` and \`false\` are written as they are, lists and objects as in YAML; \`null\` takes an optional field away. A kind in
parentheses is the one that a field belongs to: giving \`recipe.optimizer.kind\` replaces the object as a whole. The classes come from the dataset.`,
    ...parts,
    `## Presets\n\n${table(['preset', 'for', 'where its values come from'], presets)}`,
  ].join('\n\n');
}

const pages = new Map([
  ['configuration.md', configuration()],
  ['verbs/README.md', overview()],
  ...verbTable.map((spec) => [`verbs/${fileOf(spec)}`, pageOf(spec)] as const),
]);
const read = (name: string): string | undefined => {
  try {
    return readFileSync(docs + name, 'utf8');
  } catch {
    return undefined;
  }
};
const wrong = [...pages].filter(([name, text]) => read(name) !== `${text}\n`).map(([name]) => name);
mkdirSync(`${docs}verbs`, { recursive: true });
const superfluous = readdirSync(`${docs}verbs`)
  .map((file) => `verbs/${file}`)
  .filter((name) => !pages.has(name));
if (process.argv.includes('--check')) {
  for (const name of [...wrong, ...superfluous])
    console.error(`docs/${name} is out of date. Run: npm run docs:verbs`);
  process.exitCode = wrong.length + superfluous.length === 0 ? 0 : 1;
} else {
  for (const [name, text] of pages) writeFileSync(docs + name, `${text}\n`);
  for (const name of superfluous) rmSync(docs + name);
}
