// A schema as JSON Schema: for editors, and as the plain tree that documentation and completion are made from.
import * as z from 'zod/mini';
import type { Schema } from './fields.ts';

/** What a JSON Schema of ours says of a value: the keywords that fields have, besides which there are only limits of numbers and lists. */
export interface SchemaNode {
  readonly type?: 'object' | 'array' | 'string' | 'number' | 'integer' | 'boolean';
  readonly description?: string;
  /** What the value counts in. */
  readonly unit?: string;
  /** What is accepted, in words. */
  readonly needs?: string;
  readonly const?: string | number;
  readonly enum?: readonly string[];
  /** The meaning of each word of `enum`. */
  readonly enumDescriptions?: readonly string[];
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly required?: readonly string[];
  readonly items?: SchemaNode | false;
  readonly prefixItems?: readonly SchemaNode[];
  readonly oneOf?: readonly SchemaNode[];
  readonly anyOf?: readonly SchemaNode[];
}

/**
 * The schema as JSON Schema, draft 2020-12.
 *
 * Example  JSON.stringify(jsonSchemaOf(detectorSchema))
 */
export const jsonSchemaOf = (schema: Schema<unknown>): SchemaNode => z.toJSONSchema(schema) as SchemaNode;
