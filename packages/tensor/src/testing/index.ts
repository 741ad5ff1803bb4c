// @autoassign/tensor/testing: samples of every primitive, graphs from recipes, the tolerance policy, the suite of every backend.
export type { Comparison, Tolerance } from './close.ts';
export { toleranceOf, worstViolation } from './close.ts';
export type { TestRunner } from './conformance.ts';
export { conformance } from './conformance.ts';
export type { Draw, Leaf } from './draw.ts';
export { boolLeaf, drawFrom, f32Leaf, i32Leaf } from './draw.ts';
export type { OnnxArray, ReadAttribute, ReadModel, ReadNode, ReadType, ReadValue } from './onnx/readOnnx.ts';
export { readOnnx } from './onnx/readOnnx.ts';
export { runOnnx } from './onnx/runOnnx.ts';
export type { Instruction, Recipe } from './recipe.ts';
export { buildRecipe, instructionNames, leavesOfRecipe } from './recipe.ts';
export type { Arrangement, Sample, SampleInput } from './sample.ts';
export { leavesOf, outputOf, repeated, transposed } from './sample.ts';
export { samplesOf } from './samples.ts';
