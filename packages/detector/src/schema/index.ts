// @autoassign/detector/schema: what configurations are made of, for programs that check, change, document or extend them.

export { configProblem } from '../validateConfig.ts';
export { detectorSchema } from './detectorSchema.ts';
export type { Fields, Schema } from './fields.ts';
export {
  anyNumber,
  choice,
  constant,
  count,
  countOrZero,
  field,
  fraction,
  listBy,
  listOf,
  notNegative,
  object,
  oneFieldOf,
  optional,
  positive,
  probability,
  text,
  triple,
  variants,
  yesOrNo,
} from './fields.ts';
export type { SchemaNode } from './jsonSchema.ts';
export { jsonSchemaOf } from './jsonSchema.ts';
export { nearestName } from './nearestName.ts';
export type { Problem } from './problem.ts';
export { firstProblem, wrongValue } from './problem.ts';
