// @autoassign/tensor: immutable tensors as graphs. Build with ops, run with compile or evaluate, look with read.
export type {
  Backend,
  BackendStats,
  Buffer,
  KernelChoice,
  Program,
  ProgramOptions,
} from './backends/backend.ts';
export type { CpuOptions } from './backends/cpu/index.ts';
export type { BackendName, BackendOptions, DefaultBackend } from './backends/create.ts';
export { createBackend, defaultBackend, tuneTiles } from './backends/create.ts';
export type { GpujsOptions } from './backends/gpujs/index.ts';
export type { GpujsMode } from './backends/gpujs/modes.ts';
export type { StepProfile } from './backends/profile.ts';
export type { BackendSurvey, Fact } from './backends/survey.ts';
export { surveyBackends } from './backends/survey.ts';
export type { ForecastOptions, ForecastStep, MemoryForecast } from './backends/wasm/forecast.ts';
export { memoryForecast } from './backends/wasm/forecast.ts';
export type { WasmOptions } from './backends/wasm/index.ts';
export type { WebgpuOptions } from './backends/webgpu/device.ts';
export type { TileChoice, TileSizes } from './backends/webgpu/kernels/tiles.ts';
export type { TriedTile, TunedTiles } from './backends/webgpu/tune.ts';
export { logSigmoid, relu, softplus } from './compose/activations.ts';
export type { ClampBounds } from './compose/arithmetic.ts';
export {
  clamp,
  isFiniteValue,
  logicalAnd,
  logicalNot,
  logicalOr,
  sign,
  square,
} from './compose/arithmetic.ts';
export type { DeformableConv2dOptions } from './compose/deformable.ts';
export { deformableConv2d } from './compose/deformable.ts';
export { full, ones, zeros } from './compose/fill.ts';
export type { ImageSize, Pool2dOptions } from './compose/image.ts';
export { maxPool2d, resizeBilinear, resizeNearest } from './compose/image.ts';
export type { AffineParams, BatchNormParams, GroupNormOptions } from './compose/norm.ts';
export { frozenBatchNorm, groupNorm } from './compose/norm.ts';
export { logSumExp, mean, min, softmax, variance } from './compose/statistics.ts';
export type { Complaint } from './errors.ts';
export {
  DTypeError,
  describeInputs,
  describeSpec,
  LifetimeError,
  NotFiniteError,
  RetraceError,
  ShapeError,
  sentence,
  UnsupportedError,
} from './errors.ts';
export type { BinaryName, Expression, UnaryName } from './expression.ts';
export type { Compiled, CompileOptions } from './graph/compile.ts';
export { compile } from './graph/compile.ts';
export type { EvaluateOptions } from './graph/evaluate.ts';
export { evaluate, read, release } from './graph/evaluate.ts';
export type { Graph, Piece, Slot, Step } from './graph/graph.ts';
export { traceGraph } from './graph/trace.ts';
export type { NamedTensors, OnnxGraphOptions, OnnxInput } from './onnx/graph.ts';
export { onnxGraph } from './onnx/graph.ts';
export type {
  OnnxAttribute,
  OnnxGraph,
  OnnxInitializer,
  OnnxModelOptions,
  OnnxNode,
  OnnxOpset,
  OnnxType,
  OnnxValue,
} from './onnx/model.ts';
export { onnxModel } from './onnx/model.ts';
export type { OnnxWriter, OperatorOptions } from './onnx/writer.ts';
export { onnxWriter } from './onnx/writer.ts';
export type { Conv2dOptions, FilterGradAttrs, InputGradAttrs, WindowAttrs } from './ops/conv.ts';
export { conv2d } from './ops/conv.ts';
export type { BinaryFunction, CastAttrs, NoAttrs, UnaryFunction } from './ops/elementwise.ts';
export {
  abs,
  add,
  cast,
  div,
  equal,
  exp,
  floor,
  less,
  lessEqual,
  log,
  log1p,
  maximum,
  minimum,
  mul,
  neg,
  pow,
  select,
  sigmoid,
  sqrt,
  sub,
} from './ops/elementwise.ts';
export type { AttrsByName, PrimitiveName } from './ops/index.ts';
export { primitives } from './ops/index.ts';
export type { GatherAttrs, GatherOptions, ScatterAttrs, TopKAttrs } from './ops/indexing.ts';
export { gather, scatterAdd, topK } from './ops/indexing.ts';
export type { MatmulAttrs, MatmulOptions } from './ops/matmul.ts';
export { matmul } from './ops/matmul.ts';
export type { ConcatAttrs, PadAttrs, ShapeAttrs, SliceAttrs, TransposeAttrs } from './ops/movement.ts';
export { broadcastTo, concat, pad, reshape, slice, transpose } from './ops/movement.ts';
export type { PoolAttrs } from './ops/pool.ts';
export type { RandomAttrs } from './ops/random.ts';
export type { ArgMaxAttrs, Axes, ReduceAttrs, ReduceOptions } from './ops/reduce.ts';
export { argMax, max, sum } from './ops/reduce.ts';
export type { SampleAttrs, SampleInputGradAttrs } from './ops/sampling.ts';
export { sampleBilinear } from './ops/sampling.ts';
export type { RuleAttrs } from './ops/structural.ts';
export { after, identity, stopGradient, withRule } from './ops/structural.ts';
export type { Attrs, Layout, Primitive, View } from './primitive.ts';
export type { NormalOptions, UniformOptions } from './random.ts';
export { key, normal, split, uniform } from './random.ts';
export { sizeOf } from './shape.ts';
export type {
  Data,
  DType,
  NestedNumbers,
  Shape,
  Source,
  Spec,
  Tensor,
  TensorLike,
  TensorOptions,
} from './tensor.ts';
export { apply, arange, asTensor, named, scalar, specOf, tensor } from './tensor.ts';
export type { Tree } from './tree.ts';
export { fillTree, isTensor, leaves, leavesWithPaths, mapTree, mapTrees } from './tree.ts';
