// The parsers that check options whose values are paths.
import { statSync } from 'node:fs';
import { UsageError } from './exitCodes.ts';

type Found = 'folder' | 'file' | 'nothing';

function lookUp(path: string): Found {
  const found = path === '' ? undefined : statSync(path, { throwIfNoEntry: false });
  if (found === undefined) return 'nothing';
  return found.isDirectory() ? 'folder' : 'file';
}

function checked(option: string, needs: string, accepted: readonly Found[], advice: string) {
  return (text: string): string => {
    let found: Found = 'nothing';
    try {
      found = text.includes('\0') ? 'nothing' : lookUp(text);
    } catch {
      // A path through a file, or one we may not look at, is as good as none; the message names it.
    }
    if (text !== '' && accepted.includes(found)) return text;
    const state = text === '' ? '' : found === 'nothing' ? ' (no such file or folder)' : ` (a ${found})`;
    throw new UsageError(`${option} needs ${needs}, got '${text}'${state}. ${advice}`);
  };
}

/**
 * A parser that accepts the path of a folder that exists.
 *
 * Throws   UsageError that names the option
 */
export function existingFolder(option: string): (text: string) => string {
  return checked(option, 'a folder that exists', ['folder'], 'Check the path.');
}

/**
 * A parser that accepts the path of a file or folder that exists.
 *
 * Throws   UsageError that names the option
 */
export function existingPath(option: string): (text: string) => string {
  return checked(option, 'a file or folder that exists', ['file', 'folder'], 'Check the path.');
}

/**
 * A parser that accepts the path of a file that exists.
 *
 * Throws   UsageError that names the option
 */
export function existingFile(option: string): (text: string) => string {
  return checked(option, 'a file that exists', ['file'], 'Check the path.');
}

/**
 * A parser that accepts the path of a folder that exists or can be made.
 *
 * Throws   UsageError that names the option
 */
export function outputFolder(option: string): (text: string) => string {
  return checked(
    option,
    'a folder',
    ['folder', 'nothing'],
    'Give a folder, or a path where one can be made.',
  );
}
