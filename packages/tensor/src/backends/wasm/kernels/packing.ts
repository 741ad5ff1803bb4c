// Packing of matrices into panels: for every depth step the rows (or columns) of one tile side by side.

import type { Expression, Statement } from '../assembler/code.ts';
import { forRange, increment, whileLoop } from '../assembler/control.ts';
import type { Local, ModuleBuilder, Subroutine } from '../assembler/module.ts';
import { integers, newLocals } from '../assembler/module.ts';
import { i32, minimumI32 } from '../assembler/scalar.ts';
import type { Lane } from '../assembler/vector.ts';
import { v128 } from '../assembler/vector.ts';

/** Width of a panel in vectors: one for rows of A, two for columns of B. */
export type PanelVectors = 1 | 2;

/**
 * Copies a panel whose elements of one depth step are contiguous already.
 * Parameters: source, sourceStep (bytes from one depth step to the next), panel, depth.
 * Reads whole vectors, so up to 28 bytes behind a narrow last panel; what it reads there is never used.
 */
export function copyPanel(module: ModuleBuilder, vectors: PanelVectors): Subroutine<4> {
  return module.once(`copyPanel ${vectors}`, () =>
    module.define({ params: integers(4), result: 'void' }, ([source, sourceStep, panel, depth], local) => {
      const step = local('i32');
      return [
        forRange(step, 0, depth, 1, [
          v128.store(panel, v128.load(source)),
          ...(vectors === 2 ? [v128.store(panel, v128.load(source, 16), 16)] : []),
          increment(source, sourceStep),
          increment(panel, 16 * vectors),
        ]),
      ];
    }),
  );
}

/**
 * Packs rows that are contiguous along the depth, turning blocks of four by four.
 * Parameters: source, rowStride (bytes), rows (at least 1), panel, depth.
 * Rows beyond the last repeat it: their products are never used, and nothing outside the matrix is read.
 */
export function transposePanel(module: ModuleBuilder, vectors: PanelVectors): Subroutine<5> {
  return module.once(`transposePanel ${vectors}`, () =>
    module.define(
      { params: integers(5), result: 'void' },
      ([source, rowStride, rows, panel, depth], local) => {
        const pointers = Array.from({ length: 4 * vectors }, () => local('i32'));
        const last = local('i32');
        const remaining = local('i32');
        const block = newLocals(local, 'v128', 4);
        const quads = Array.from({ length: vectors }, (_, quad) => pointers.slice(4 * quad, 4 * quad + 4));
        const advance = (bytes: number): Statement[] => [
          ...pointers.map((pointer) => increment(pointer, bytes)),
          increment(panel, bytes * 4 * vectors),
        ];
        return [
          last.set(i32.sub(rows, 1)),
          ...pointers.map((pointer, row) =>
            pointer.set(i32.add(source, i32.mul(minimumI32(i32.const(row), last), rowStride))),
          ),
          remaining.set(depth),
          whileLoop(i32.geS(remaining, 4), [
            ...quads.flatMap((quad, at) => [
              ...block.map((vector, row) => vector.set(v128.load(quad[row] ?? source))),
              ...storeTransposed(block, panel, 16 * vectors, 16 * at),
            ]),
            ...advance(16),
            increment(remaining, -4),
          ]),
          whileLoop(i32.gtS(remaining, 0), [
            ...quads.map((quad, at) => v128.store(panel, gatherLanes(quad), 16 * at)),
            ...advance(4),
            increment(remaining, -1),
          ]),
        ];
      },
    ),
  );
}

/** A vector of the elements at four addresses, each with its own constant offset. */
export function gatherLanes(
  addresses: readonly Expression<'i32'>[],
  offsets: readonly number[] = [],
): Expression<'v128'> {
  const [first, ...others] = addresses;
  if (first === undefined) throw new RangeError('gatherLanes: needs four addresses, got none.');
  return others.reduce<Expression<'v128'>>(
    (vector, address, at) => v128.load32Lane(address, vector, (at + 1) as Lane, offsets[at + 1] ?? 0),
    v128.load32Zero(first, offsets[0] ?? 0),
  );
}

/** The columns of a four by four block, given by rows. */
export function transposed(block: readonly Local<'v128'>[]): readonly Expression<'v128'>[] {
  const [a, b, c, d] = block;
  if (!a || !b || !c || !d) throw new RangeError('transposed: needs four rows, got fewer.');
  const lowOf = (x: Expression<'v128'>, y: Expression<'v128'>) => v128.shuffle(x, y, [0, 4, 1, 5]);
  const highOf = (x: Expression<'v128'>, y: Expression<'v128'>) => v128.shuffle(x, y, [2, 6, 3, 7]);
  return [
    // a, b interleave into columns 0 1 and 2 3 of rows 0 1; c, d likewise of rows 2 3. The shuffles join them.
    v128.shuffle(lowOf(a, b), lowOf(c, d), [0, 1, 4, 5]),
    v128.shuffle(lowOf(a, b), lowOf(c, d), [2, 3, 6, 7]),
    v128.shuffle(highOf(a, b), highOf(c, d), [0, 1, 4, 5]),
    v128.shuffle(highOf(a, b), highOf(c, d), [2, 3, 6, 7]),
  ];
}

/** Stores the columns of a four by four block, given by rows, `step` bytes apart. */
export function storeTransposed(
  block: readonly Local<'v128'>[],
  address: Expression<'i32'>,
  step: number,
  offset: number,
): readonly Statement[] {
  return transposed(block).map((column, at) => v128.store(address, column, offset + at * step));
}

/**
 * Copies rows of floats. Parameters: source, sourceStride, target, targetStride (bytes), rows, length (elements).
 * Writes exactly the given elements.
 */
export function copyRows(module: ModuleBuilder): Subroutine<6> {
  return module.once('copyRows', () =>
    module.define(
      { params: integers(6), result: 'void' },
      ([source, sourceStride, target, targetStride, rows, length], local) => {
        const [row, from, to, end] = newLocals(local, 'i32', 4);
        return [
          forRange(row, 0, rows, 1, [
            from.set(source),
            to.set(target),
            end.set(i32.add(target, i32.shl(length, 2))),
            whileLoop(i32.leU(i32.add(to, 16), end), [
              v128.store(to, v128.load(from)),
              increment(from, 16),
              increment(to, 16),
            ]),
            whileLoop(i32.ltU(to, end), [
              i32.store(to, i32.load(from)),
              increment(from, 4),
              increment(to, 4),
            ]),
            increment(source, sourceStride),
            increment(target, targetStride),
          ]),
        ];
      },
    ),
  );
}
