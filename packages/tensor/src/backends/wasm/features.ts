// What the WebAssembly backend needs of the engine, found by validating modules of a few bytes.
import { sentence, UnsupportedError } from '../../errors.ts';

/** A module that uses one relaxed multiply-add: valid where the engine has relaxed SIMD. */
const relaxedProbe = Uint8Array.of(
  ...[0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 19, 1, 17, 0],
  ...[65, 0, 253, 15, 65, 0, 253, 15, 65, 0, 253, 15, 253, 133, 2, 11],
);
/** A module that splats one number into a vector: valid where the engine has SIMD. */
const simdProbe = Uint8Array.of(
  ...[0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 8, 1, 6, 0, 65, 0, 253, 15, 11],
);

/** Whether modules may use fused multiply-add. */
export const hasRelaxedSimd = (): boolean => WebAssembly.validate(relaxedProbe);

/** Throws UnsupportedError when the engine lacks SIMD, or relaxed SIMD where `fma` is asked for. */
export const requireFeatures = ({ fma = false }: { readonly fma?: boolean }): void => {
  const missing = !WebAssembly.validate(simdProbe)
    ? 'WebAssembly SIMD'
    : fma && !hasRelaxedSimd()
      ? 'WebAssembly relaxed SIMD'
      : undefined;
  if (missing === undefined) return;
  throw new UnsupportedError(
    sentence({
      where: 'createBackend',
      label: 'wasm',
      needs: missing,
      got: 'an engine without it',
      advice: fma ? "Leave out 'fma', or use a newer engine." : "Use backend 'cpu', or a newer engine.",
    }),
  );
};
