// Which picture files the words of a command line mean: files, folders with everything below them, patterns.
import type { Dirent } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { basename, extname, join, relative, resolve, sep } from 'node:path';
import { UsageError } from './exitCodes.ts';

/** One picture to look at. */
export interface PictureFile {
  /** The path, or `-` for standard input. */
  readonly path: string;
  /** What results of it are called: the path from the folder that was given on, without its ending. */
  readonly name: string;
}

const pictureEndings: ReadonlySet<string> = new Set(['.jpg', '.jpeg', '.png', '.webp', '.gif']);

/** The word that stands for standard input. */
export const standardInput = '-';

function fileOf(path: string, folder?: string): PictureFile {
  const inside = folder === undefined ? basename(path) : relative(folder, path);
  const name = inside.slice(0, inside.length - extname(inside).length);
  return { path, name: name.split(sep).join('_') };
}

const byName = (a: Dirent, b: Dirent): number => (a.name < b.name ? -1 : Number(a.name > b.name));

/** All files below a folder in a fixed order, without hidden ones and without `except`; links lead to files only. */
async function* filesBelow(folder: string, except: string): AsyncGenerator<string, void, undefined> {
  const entries = await readdir(folder, { withFileTypes: true });
  for (const entry of entries.sort(byName)) {
    const path = join(folder, entry.name);
    if (entry.name.startsWith('.') || resolve(path) === except) continue;
    if (entry.isDirectory()) yield* filesBelow(path, except);
    else if (entry.isFile()) yield path;
    else if (entry.isSymbolicLink() && (await kindOf(path)) === 'file') yield path;
  }
}

async function kindOf(path: string): Promise<'file' | 'folder' | undefined> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) return undefined;
  return found.isDirectory() ? 'folder' : 'file';
}

const isPattern = (word: string): boolean => /[*?[{]/.test(word);

/**
 * The expression for a pattern of paths: `*` and `?` stay within a name, `**` goes through folders, `[a-z]` and `{a,b}` choose.
 *
 * Example  patternExpression('photos/**' + '/*.{jpg,png}').test('photos/2024/a.jpg') // true
 */
export function patternExpression(pattern: string): RegExp {
  const parts = pattern.match(/\*\*\/?|\*|\?|\[[^\]/]+\]|\{[^{}]*\}|[^*?[{]+|./gs) ?? [];
  const literal = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
  const written = parts.map((part) => {
    if (part.startsWith('**')) return part.endsWith('/') ? '(?:[^/]+/)*' : '.*';
    if (part === '*') return '[^/]*';
    if (part === '?') return '[^/]';
    if (part.length > 2 && part.startsWith('[')) {
      const isNegated = part[1] === '!';
      return `[${isNegated ? '^/' : ''}${part.slice(isNegated ? 2 : 1, -1).replace(/[\\^]/g, '\\$&')}]`;
    }
    if (part.length > 1 && part.startsWith('{'))
      return `(?:${part.slice(1, -1).split(',').map(literal).join('|')})`;
    return literal(part);
  });
  return new RegExp(`^${written.join('')}$`, 'su');
}

/** The files that a pattern means; its beginning without special characters is the folder to look in. */
async function filesMatching(pattern: string, except: string): Promise<readonly PictureFile[]> {
  const slashed = sep === '\\' ? pattern.replaceAll('\\', '/') : pattern;
  const names = slashed.split('/');
  const fixed = names.slice(0, names.findIndex(isPattern));
  const folder = fixed.length === 0 ? '.' : fixed.join('/') || '/';
  const expression = patternExpression(slashed.replace(/^\.\//, ''));
  const found: PictureFile[] = [];
  if ((await kindOf(folder)) !== 'folder') return found;
  for await (const path of filesBelow(folder, except)) {
    if (expression.test(path.split(sep).join('/'))) found.push(fileOf(path, folder));
  }
  return found;
}

async function picturesBelow(folder: string, except: string): Promise<readonly PictureFile[]> {
  const found: PictureFile[] = [];
  for await (const path of filesBelow(folder, except)) {
    if (pictureEndings.has(extname(path).toLowerCase())) found.push(fileOf(path, folder));
  }
  return found;
}

/**
 * The pictures that words mean, in the order of the words and in folders by name: a file is itself, a folder all pictures below it, a
 * pattern the files that match it. What lies below `out` are results and no pictures.
 *
 * Throws   UsageError naming the word that means nothing
 */
export async function pictureFiles(words: readonly string[], out: string): Promise<readonly PictureFile[]> {
  const except = resolve(out);
  const found: PictureFile[] = [];
  for (const word of words) {
    if (word === standardInput) {
      if (found.some(({ path }) => path === standardInput))
        throw new UsageError("predict needs standard input at most once, got '-' twice. Leave one out.");
      found.push({ path: word, name: 'stdin' });
      continue;
    }
    const kind = await kindOf(word);
    if (kind === 'file') {
      found.push(fileOf(word));
      continue;
    }
    const inside =
      kind === 'folder'
        ? await picturesBelow(word, except)
        : isPattern(word)
          ? await filesMatching(word, except)
          : [];
    if (inside.length === 0) throw new UsageError(nothingThere(word, kind));
    for (const file of inside) found.push(file);
  }
  return found;
}

function nothingThere(word: string, kind: 'folder' | undefined): string {
  const endings = [...pictureEndings].map((ending) => ending.slice(1)).join(', ');
  if (kind === 'folder')
    return `predict needs pictures (${endings}), got the folder '${word}' without any. Name another folder.`;
  if (isPattern(word))
    return `predict needs pictures, got '${word}', which no file matches. Check the pattern.`;
  return `predict needs pictures, got '${word}' (no such file or folder). Check the path.`;
}
