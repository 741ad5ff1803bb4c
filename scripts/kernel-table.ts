// Prints which kernel every primitive gets on every backend, from the backends' own tables, into ARCHITECTURE.md.
// `npm run kernel-table` rewrites the table; with --check it fails when the table is out of date.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Backend, Primitive, PrimitiveName } from '@autoassign/tensor';
import { createBackend, primitives } from '@autoassign/tensor';
import { choiceFor } from '../packages/tensor/src/backends/webgpu/program.ts';

const file = fileURLToPath(new URL('../ARCHITECTURE.md', import.meta.url));
const [begin, end] = ['<!-- kernels -->', '<!-- /kernels -->'];

// a machine without a GPU knows the kernels too
const backends: readonly Pick<Backend, 'name' | 'kernelFor'>[] = [
  await createBackend('cpu'),
  await createBackend('wasm'),
  await createBackend('gpujs', { mode: 'cpu' }),
  { name: 'webgpu', kernelFor: choiceFor },
];
const groups = new Map<string, string[]>();
for (const name of Object.keys(primitives) as PrimitiveName[]) {
  const op = primitives[name] as unknown as Primitive;
  const tiers = backends.map((backend) => backend.kernelFor(op, [], {}).tier).join(' | ');
  groups.set(tiers, [...(groups.get(tiers) ?? []), name]);
}
const table = [
  `| primitives | ${backends.map(({ name }) => name).join(' | ')} |`,
  `|---|${backends.map(() => '---').join('|')}|`,
  ...[...groups].map(([tiers, names]) => `| ${names.map((name) => `\`${name}\``).join(' ')} | ${tiers} |`),
].join('\n');

const before = readFileSync(file, 'utf8');
const [head, tail] = [before.split(begin)[0], before.split(end)[1]];
const after = `${head}${begin}\n${table}\n${end}${tail}`;
if (!process.argv.includes('--check')) writeFileSync(file, after);
else if (before !== after) {
  console.error('ARCHITECTURE.md: its kernel table is out of date. Run: npm run kernel-table');
  process.exit(1);
}
