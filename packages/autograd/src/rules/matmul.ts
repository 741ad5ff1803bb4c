// The rule of the matrix product: two products, whose operands are read transposed rather than copied.
import type { MatmulAttrs } from '@autoassign/tensor';
import { matmul } from '@autoassign/tensor';
import type { VjpRule } from './rule.ts';

/** For C = A' B', where ' is the optional transpose: dA' = dC B'ᵀ and dB' = A'ᵀ dC. */
export const matmulRule: VjpRule<MatmulAttrs> = (ct, [a, b], { transposeA, transposeB }) => [
  transposeA
    ? matmul(b!, ct, { transposeA: transposeB, transposeB: true })
    : matmul(ct, b!, { transposeB: !transposeB }),
  transposeB
    ? matmul(ct, a!, { transposeA: true, transposeB: transposeA })
    : matmul(a!, ct, { transposeA: !transposeA }),
];
