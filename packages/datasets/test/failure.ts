// What an attempt that must fail is expected to throw.
import { DatasetError } from '@autoassign/datasets';
import { expect } from 'vitest';

/** The DatasetError of an attempt: one line, with a file. */
export const failureOf = async (attempt: () => Promise<unknown>): Promise<DatasetError> => {
  const error = await attempt().then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof DatasetError)) throw new Error(`no DatasetError but ${String(error)}`);
  expect(error.message).not.toContain('\n');
  expect(error.message).toMatch(/^\w+\(.+\): needs .+, got .+\. .+[.:]/);
  expect(error.file).toBeDefined();
  return error;
};
