// The dotted paths of everything that a user may set, found in the schema: for overrides, completion and documentation.
import type { SchemaNode } from '@autoassign/detector/schema';
import { jsonSchemaOf } from '@autoassign/detector/schema';
import { settingsSchema } from './runSchema.ts';

/** A field that can be set, with what the schema says of it. */
export interface SettingPath {
  readonly path: string;
  readonly node: SchemaNode;
  /** The kind that the object around it must be of, such as `sgd`; absent where there are no kinds. */
  readonly kind?: string;
}

/** The schema of settings as a tree of plain data. */
export const settingsTree: SchemaNode = jsonSchemaOf(settingsSchema);

/** What a value is one of, when it is a union. */
export function alternativesOf({ oneOf, anyOf }: SchemaNode): readonly SchemaNode[] {
  return oneOf ?? anyOf ?? [];
}

/** The kind that an alternative of a union is for. */
export function kindOf({ properties }: SchemaNode): string | undefined {
  const kind = properties?.kind?.const;
  return typeof kind === 'string' ? kind : undefined;
}

/** The field `kind` of a union. */
function kindNode(alternatives: readonly SchemaNode[]): SchemaNode {
  const words = alternatives.flatMap((option) => kindOf(option) ?? []);
  return {
    type: 'string',
    description: 'The kind, which says what other fields there are.',
    needs: `one of ${words.join(', ')}`,
    enum: words,
    enumDescriptions: alternatives.map(({ description }) => description ?? ''),
  };
}

function fieldsIn({ properties = {} }: SchemaNode, at: string, kind: string | undefined): SettingPath[] {
  return Object.entries(properties)
    .filter(([name]) => name !== 'kind')
    .flatMap(([name, node]) => pathsIn(node, at === '' ? name : `${at}.${name}`, kind));
}

function pathsIn(node: SchemaNode, path: string, kind: string | undefined): SettingPath[] {
  const alternatives = alternativesOf(node);
  const hasKinds = alternatives.some((option) => kindOf(option) !== undefined);
  return [
    { path, node, ...(kind === undefined ? {} : { kind }) },
    ...fieldsIn(node, path, undefined),
    ...(hasKinds ? [{ path: `${path}.kind`, node: kindNode(alternatives) }] : []),
    ...alternatives.flatMap((option) => fieldsIn(option, path, kindOf(option))),
  ];
}

/** Everything that can be set, objects and their fields, in the order of the schema; the classes come from the dataset. */
export const settingPaths: readonly SettingPath[] = fieldsIn(settingsTree, '', undefined).filter(
  ({ path }) => path !== 'detector.classes',
);
