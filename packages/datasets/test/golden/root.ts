// Where the golden cases are: in the folder of AUTOASSIGN_GOLDEN or in the committed fixtures.
import { statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const fixtures = fileURLToPath(new URL('../fixtures', import.meta.url));

/** The folder of all cases; a mistyped AUTOASSIGN_GOLDEN must not look like one without cases. */
export const goldenRoot = (): string => {
  const folder = process.env.AUTOASSIGN_GOLDEN ?? fixtures;
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return folder;
  throw new Error(
    `AUTOASSIGN_GOLDEN: needs a folder, got "${folder}". Correct the path, or unset the variable.`,
  );
};
