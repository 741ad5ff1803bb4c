// Checks what no linter does: every source file says in its first line what it holds, and stays under 400 lines.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const mostLines = 400;
const { stdout } = spawnSync('git', ['ls-files', '*.ts', '*.mjs'], { encoding: 'utf8' });
const problems = stdout
  .split('\n')
  .filter((file) => file !== '')
  .flatMap((file) => {
    const lines = readFileSync(file, 'utf8').split('\n');
    const first = lines[0].startsWith('#!') ? lines[1] : lines[0];
    return [
      ...(first.startsWith('// ')
        ? []
        : [`${file}: needs a comment in its first line that says what it holds`]),
      ...(lines.length > mostLines ? [`${file}: needs at most ${mostLines} lines, got ${lines.length}`] : []),
    ];
  });
for (const problem of problems) console.error(problem);
process.exit(problems.length === 0 ? 0 : 1);
