// Matrix products C[M,N] = A[M,K] B[K,N], each operand stored as it is or transposed.
//
// The kernel is specialised for the sizes; the loops it calls are shared by all kernels of a module. Which way
// a product goes is decided here once: thin products stream through B, all others pack B into panels.

import type { Expression, Statement } from '../assembler/code.ts';
import { forRange, increment, sequence } from '../assembler/control.ts';
import type { Local, ModuleBuilder, NewLocal } from '../assembler/module.ts';
import { newLocals } from '../assembler/module.ts';
import { i32, memory, minimumI32 } from '../assembler/scalar.ts';
import { blockProduct, blockSize, maximumBlockColumns, maximumBlockDepth, roundUp } from './blockProduct.ts';
import type { Kernel, KernelOptions } from './kernel.ts';
import type { LeftLayout } from './microKernel.ts';
import { panelRows, tileBytes, tileColumns } from './microKernel.ts';
import { fillTable, lineGrid } from './offsetTable.ts';
import { copyPanel, transposePanel } from './packing.ts';
import type { Scratch } from './scratch.ts';
import { scratchLayout } from './scratch.ts';
import { dotProducts, thinProduct } from './thinProduct.ts';

/**
 * A matrix product, or `batch` of them whose matrices follow one another.
 *
 * Shapes   left [batch, rows, depth], or [batch, depth, rows] with transposeLeft;
 *          right [batch, depth, columns], or [batch, columns, depth] with transposeRight;
 *          result [batch, rows, columns]
 */
export interface MatmulGeometry {
  readonly batch: number;
  readonly rows: number;
  readonly columns: number;
  readonly depth: number;
  readonly transposeLeft: boolean;
  readonly transposeRight: boolean;
}

/** One product inside a kernel: its operands, and what its code is made with. */
export interface Product {
  readonly module: ModuleBuilder;
  readonly geometry: MatmulGeometry;
  readonly fma: boolean;
  readonly left: Expression<'i32'>;
  readonly right: Expression<'i32'>;
  readonly result: Expression<'i32'>;
  readonly scratch: Scratch;
  readonly local: NewLocal;
}

/** What a kernel does once per call, and what it does for every matrix of the batch. */
interface ProductCode {
  readonly once: readonly Statement[];
  readonly each: readonly Statement[];
}

/** The name of the kernel for a geometry: equal geometries share one function. */
function matmulName(geometry: MatmulGeometry, { fma = false }: KernelOptions = {}): string {
  const { batch, rows, columns, depth, transposeLeft, transposeRight } = geometry;
  const flags = `${transposeLeft ? 't' : 'n'}${transposeRight ? 't' : 'n'}${fma ? ' fma' : ''}`;
  return `matmul ${batch}x${rows}x${depth}x${columns} ${flags}`;
}

/**
 * The kernel (left, right, result, scratch) of a matrix product; a depth of 0 gives zeros.
 *
 * Example  const { func, scratchBytes } = emitMatmul(module, geometry);
 *          exports[func.exportName](left, right, result, scratch)
 */
export function emitMatmul(
  module: ModuleBuilder,
  geometry: MatmulGeometry,
  options: KernelOptions = {},
): Kernel {
  const { fma = false } = options;
  const { batch, rows, columns, depth } = geometry;
  const exportName = matmulName(geometry, options);
  return module.once(exportName, () => {
    let scratchBytes = 0;
    const params = ['i32', 'i32', 'i32', 'i32'] as const;
    const func = module.define({ exportName, params, result: 'void' }, (pointers, local) => {
      const [left, right, result, scratchPointer] = pointers;
      const scratch = scratchLayout(scratchPointer);
      const operands = withoutColumnVector({ geometry, left, right });
      const { once, each } = productCode({ module, fma, result, scratch, local, ...operands });
      scratchBytes = scratch.bytes();
      const nextMatrices = [
        increment(left, 4 * rows * depth),
        increment(right, 4 * depth * columns),
        increment(result, 4 * rows * columns),
      ];
      return [sequence(...once), forRange(local('i32'), 0, batch, 1, [...each, ...nextMatrices])];
    });
    return { func, scratchBytes };
  });
}

/** A product with one column as the transposed product with one row: their results have the same bytes. */
function withoutColumnVector(
  product: Pick<Product, 'geometry' | 'left' | 'right'>,
): Pick<Product, 'geometry' | 'left' | 'right'> {
  const { geometry, left, right } = product;
  if (geometry.columns !== 1 || geometry.rows === 1) return product;
  const transposed: MatmulGeometry = {
    ...geometry,
    rows: 1,
    columns: geometry.rows,
    transposeLeft: false,
    transposeRight: !geometry.transposeLeft,
  };
  return { geometry: transposed, left: right, right: left };
}

function productCode(product: Product): ProductCode {
  const { rows, columns, depth, transposeRight } = product.geometry;
  if (rows === 0 || columns === 0) return { once: [], each: [] };
  if (depth === 0) return { once: [], each: [memory.fill(product.result, 0, 4 * rows * columns)] };
  if (rows === 1 && transposeRight) return { once: [], each: dotProducts(product) };
  const left = leftOperand(product);
  if (rows <= panelRows && !transposeRight) return { once: [], each: thinProduct(product, left) };
  return packedProduct(product, left);
}

/** The left operand as the tiles read it. */
export interface LeftOperand {
  readonly layout: LeftLayout;
  /** Bytes from row to row (`rows`) or from panel to panel (`panel`). */
  readonly stride: number;
  readonly pointer: Expression<'i32'>;
  /** Bytes from one depth step to the next. */
  readonly step: number;
  /** What has to be done before it can be read. */
  readonly prepare: readonly Statement[];
}

/** The left operand where it lies, or packed into panels when the depth is its outer dimension. */
function leftOperand({ module, geometry, left, scratch, local }: Product): LeftOperand {
  const { rows, depth, transposeLeft } = geometry;
  if (!transposeLeft || rows === 1) {
    return { layout: 'rows', stride: 4 * depth, pointer: left, step: 4, prepare: [] };
  }
  const panels = scratch.region(4 * depth * roundUp(rows, panelRows));
  const stride = 4 * depth * panelRows;
  const [row, panel] = newLocals(local, 'i32', 2);
  const prepare = [
    panel.set(panels),
    forRange(row, 0, rows, panelRows, [
      copyPanel(module, 1).call(i32.add(left, i32.shl(row, 2)), 4 * rows, panel, depth),
      increment(panel, stride),
    ]),
  ];
  return { layout: 'panel', stride, pointer: panels, step: 4 * panelRows, prepare };
}

/** The general product: blocks of B packed into panels, times all rows of A. */
function packedProduct(product: Product, left: LeftOperand): ProductCode {
  const { module, geometry, fma, result, scratch, local } = product;
  const { rows, columns, depth } = geometry;
  const blockDepth = blockSize(depth, maximumBlockDepth);
  const blockColumns = blockSize(columns, maximumBlockColumns, tileColumns);
  const table = scratch.region(4 * roundUp(columns, tileColumns));
  const tile = scratch.region(tileBytes);
  const block = scratch.region(4 * blockDepth * blockColumns);
  const multiply = blockProduct(module, { layout: left.layout, fma });
  const [column, width, step, steps] = newLocals(local, 'i32', 4);
  return {
    once: [fillTable(module, table, lineGrid(columns, 4))],
    each: [
      ...left.prepare,
      forRange(column, 0, columns, blockColumns, [
        width.set(i32.sub(columns, column)),
        width.set(minimumI32(width, blockColumns)),
        forRange(step, 0, depth, blockDepth, [
          steps.set(i32.sub(depth, step)),
          steps.set(minimumI32(steps, blockDepth)),
          ...packRightBlock(product, { block, column, width, step, steps }),
          multiply.call(
            i32.add(left.pointer, i32.mul(step, left.step)),
            left.stride,
            block,
            i32.add(table, i32.shl(column, 2)),
            width,
            result,
            4 * columns,
            rows,
            steps,
            step,
            tile,
          ),
        ]),
      ]),
    ],
  };
}

/** A block of the right operand: where it goes, and which columns and depth steps it holds. */
interface RightBlock {
  readonly block: Expression<'i32'>;
  readonly column: Local<'i32'>;
  readonly width: Local<'i32'>;
  readonly step: Local<'i32'>;
  readonly steps: Local<'i32'>;
}

function packRightBlock(
  { module, geometry, right, local }: Product,
  { block, column, width, step, steps }: RightBlock,
): readonly Statement[] {
  const { columns, depth, transposeRight } = geometry;
  const [within, panel, absolute] = newLocals(local, 'i32', 3);
  const offset = transposeRight
    ? i32.add(i32.mul(absolute, depth), step)
    : i32.add(i32.mul(step, columns), absolute);
  const source = i32.add(right, i32.shl(offset, 2));
  const remaining = i32.sub(columns, absolute);
  return [
    panel.set(block),
    forRange(within, 0, width, tileColumns, [
      absolute.set(i32.add(column, within)),
      transposeRight
        ? transposePanel(module, 2).call(source, 4 * depth, remaining, panel, steps)
        : copyPanel(module, 2).call(source, 4 * columns, panel, steps),
      increment(panel, i32.mul(steps, 4 * tileColumns)),
    ]),
  ];
}
