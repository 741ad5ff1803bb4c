// Settings as a YAML file with the meaning of every field beside it, to read and to begin a file of one's own with.
import type { SchemaNode } from '@autoassign/detector/schema';
import { Document, isMap, isScalar, isSeq, type YAMLMap } from 'yaml';
import type { Preset } from '../presets.ts';
import { settingPaths } from './paths.ts';
import type { Settings } from './runSchema.ts';

/** What a field is, in one line: its meaning, its unit, and the words there are. */
function meaningOf({ description = '', unit, enum: words, enumDescriptions }: SchemaNode): string {
  const choices = words
    ?.map((word, i) => `${word} (${enumDescriptions?.[i]?.replace(/\.$/, '') ?? ''})`)
    .join(', ');
  return [description, unit && `In ${unit}.`, choices && `One of: ${choices}.`]
    .filter((part) => part !== undefined && part !== '')
    .join(' ');
}

function comment(map: YAMLMap, path: string): void {
  for (const { key, value } of map.items) {
    const name = isScalar(key) ? String(key.value) : String(key);
    const inner = path === '' ? name : `${path}.${name}`;
    const setting = settingPaths.find((known) => known.path === inner);
    const meaning = setting === undefined ? '' : meaningOf(setting.node);
    if (meaning !== '' && isScalar(key)) key.commentBefore = ` ${meaning}`;
    if (isMap(value)) comment(value, inner);
    else if (isSeq(value)) value.flow = value.items.every(isScalar);
  }
}

/** The settings without the classes, which come from the dataset. */
export function withoutClasses({ recipe, images, detector }: Settings): Readonly<Record<string, unknown>> {
  const { classes, ...network } = detector;
  return { recipe, images, detector: network };
}

/** What a preset is, and where its values come from, a line each. */
function originLines({ description, pretrained, origin }: Preset): readonly string[] {
  const begins = pretrained === undefined ? [] : [`Begins with ${pretrained}.`];
  const sources = Object.entries(origin).map(
    ([path, source]) => `${path === 'all' ? 'Values' : path}: ${source}.`,
  );
  return [`${description}.`, ...begins, ...sources];
}

/** The settings as YAML with comments, under the words of the preset that they began with. */
export function printedSettings(settings: Settings, preset: Preset): string {
  const document = new Document(withoutClasses(settings));
  document.commentBefore = originLines(preset)
    .map((line) => ` ${line}`)
    .join('\n');
  if (isMap(document.contents)) comment(document.contents, '');
  return document.toString({ lineWidth: 0 });
}
