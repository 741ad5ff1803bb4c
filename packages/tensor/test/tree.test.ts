// Trees: order, paths, structure-preserving maps.
import { expect, test } from 'vitest';
import type { Tensor, Tree } from '../src/index.ts';
import {
  add,
  fillTree,
  isTensor,
  leaves,
  leavesWithPaths,
  mapTree,
  mapTrees,
  ShapeError,
  scalar,
} from '../src/index.ts';

const [a, b, c, d] = [scalar(1), scalar(2), scalar(3), scalar(4)] as const;
const params = {
  backbone: { layer2: [{ conv1: { weight: a } }, { conv1: { weight: b } }] },
  head: [c, { scale: d }],
};

test('leaves come in key order with the paths of published checkpoints', () => {
  expect(leaves(params)).toEqual([a, b, c, d]);
  expect(leavesWithPaths(params)).toEqual([
    ['backbone.layer2.0.conv1.weight', a],
    ['backbone.layer2.1.conv1.weight', b],
    ['head.0', c],
    ['head.1.scale', d],
  ]);
});

test('a tensor alone is a tree with one leaf at the empty path', () => {
  expect(leavesWithPaths(a)).toEqual([['', a]]);
  expect(leaves({})).toEqual([]);
  expect(leaves([])).toEqual([]);
});

test('isTensor tells tensors from parameter groups that have similar keys', () => {
  expect(isTensor(a)).toBe(true);
  expect([isTensor({ shape: a, weight: b }), isTensor(null), isTensor([]), isTensor(3)]).toEqual([
    false,
    false,
    false,
    false,
  ]);
});

test('mapTree keeps the structure, arrays stay arrays, and passes the paths of leavesWithPaths', () => {
  const paths: string[] = [];
  const doubled = mapTree((leaf, path) => {
    paths.push(path);
    return add(leaf, leaf);
  }, params);
  expect(paths).toEqual(leavesWithPaths(params).map(([path]) => path));
  expect(Array.isArray(doubled.head)).toBe(true);
  expect(leavesWithPaths(doubled).map(([path]) => path)).toEqual(paths);
  expect(mapTree((leaf) => leaf, params)).toEqual(params);
});

test('mapTrees joins leaves by path, whatever the order of the keys', () => {
  const first = { x: a, y: [b] };
  const second = { y: [d], x: c };
  const seen: (readonly Tensor[])[] = [];
  mapTrees(
    (...row) => {
      seen.push(row);
      return row[0]!;
    },
    first,
    second,
  );
  expect(seen).toEqual([
    [a, c],
    [b, d],
  ]);
});

test('mapTrees names the leaf that another tree lacks', () => {
  const join = () => mapTrees((x) => x, { x: a, y: b }, { x: a, z: b });
  expect(join).toThrow(ShapeError);
  expect(join).toThrow("mapTrees: needs a leaf 'y' in every tree, got a tree with leaves x, z.");
});

test('fillTree is the inverse of leaves', () => {
  const filled: Tree = fillTree(params, [d, c, b, a]);
  expect(leaves(filled)).toEqual([d, c, b, a]);
  expect(fillTree(params, leaves(params))).toEqual(params);
});
