// The JSON Schema of files of settings, which may leave out whatever they do not change.
import type { SchemaNode } from '@autoassign/detector/schema';
import { settingsTree } from './paths.ts';

function partOf(node: SchemaNode): SchemaNode {
  const { properties, required, oneOf, anyOf } = node;
  const kinds = required?.filter((name) => name === 'kind') ?? [];
  return {
    ...node,
    ...(properties === undefined ? {} : { properties: mapped(properties) }),
    ...(required === undefined ? {} : { required: kinds }),
    ...(oneOf === undefined ? {} : { oneOf: oneOf.map(partOf) }),
    ...(anyOf === undefined ? {} : { anyOf: anyOf.map(partOf) }),
  };
}

function mapped(properties: Readonly<Record<string, SchemaNode>>): Readonly<Record<string, SchemaNode>> {
  return Object.fromEntries(Object.entries(properties).map(([name, node]) => [name, partOf(node)]));
}

/** The JSON Schema of files of settings: every field may be missing, and lists are given as a whole. */
export const settingsFileSchema: SchemaNode = partOf(settingsTree);
