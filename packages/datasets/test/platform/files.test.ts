// Node's folders: what is read and written, and that nothing outside of them is.
import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatasetError, openCoco, openImage, sourceOfFolder } from '@autoassign/datasets';
import { describe, expect, test } from 'vitest';
import { cocoFolder, folderWith, jpegOf, validCoco } from '../samples.ts';

const concat = async (pieces: AsyncIterable<Uint8Array>): Promise<Buffer> => {
  const all: Uint8Array[] = [];
  for await (const piece of pieces) all.push(piece);
  return Buffer.concat(all);
};

describe('reading', () => {
  test('a file whole, in pieces, its size and time, its path', async () => {
    const bytes = Uint8Array.from({ length: 2_500_000 }, (_, i) => (i * i) >> 7);
    const folder = await folderWith({ 'deep/a.bin': bytes, 'deep/empty': '' });
    const source = sourceOfFolder(folder);
    expect(Buffer.from(bytes).equals(await source.read('deep/a.bin'))).toBe(true);
    expect(Buffer.from(bytes).equals(await concat(source.stream!('deep/a.bin')))).toBe(true);
    expect(await concat(source.stream!('deep/empty'))).toHaveLength(0);
    const { size, modified } = await source.stat!('deep/a.bin');
    expect(size).toBe(bytes.length);
    expect(Math.abs(modified - Date.now())).toBeLessThan(60_000);
    expect(await source.list('deep')).toEqual(['a.bin', 'empty']);
    expect(await source.list('nowhere')).toEqual([]);
    expect(source.locate!('deep/a.bin')).toBe(join(folder, 'deep/a.bin'));
  });

  test('a stream may be left early, and fails where there is no file', async () => {
    const source = sourceOfFolder(await folderWith({ a: 'x'.repeat(3_000_000) }));
    for await (const piece of source.stream!('a')) {
      expect(piece.length).toBeGreaterThan(0);
      break;
    }
    await expect(concat(source.stream!('b'))).rejects.toThrow(/ENOENT/);
    await expect(source.stat!('b')).rejects.toThrow(/ENOENT/);
  });
});

describe('writing', () => {
  test('parts replace the file, and what an earlier process left half written is removed', async () => {
    const gone = 2 ** 22 + 1; // no process has this id
    const folder = await folderWith({ 'x/a.cache': 'old', [`x/a.cache.partial-${gone}-1`]: 'half' });
    const source = sourceOfFolder(folder);
    await source.write!('x/a.cache', [Buffer.from('new'), Buffer.from(''), Buffer.from(' one')]);
    expect(await readFile(join(folder, 'x/a.cache'), 'utf8')).toBe('new one');
    expect(await readdir(join(folder, 'x'))).toEqual(['a.cache']);
    await expect(source.write!('nowhere/a', [])).rejects.toThrow(/ENOENT/);
  });
});

describe('links and paths that lead out of the folder', () => {
  const outside = async (): Promise<{ folder: string; other: string }> => {
    const other = await folderWith({
      'secret.txt': 'secret',
      'a.jpg': await jpegOf(40, 32),
      'b.jpg': await jpegOf(40, 32),
    });
    const folder = await folderWith({ 'in/here.txt': 'here' });
    await symlink(join(other, 'secret.txt'), join(folder, 'link.txt'));
    await symlink(other, join(folder, 'linked'));
    await symlink(join(folder, 'in'), join(folder, 'inside'));
    return { folder, other };
  };
  const refused =
    /openFolder\(.*\): needs files inside the folder, got .*(a link to|a path that leads out of it).*pass followLinks: true/;

  test('are refused by everything, with what to do about it', async () => {
    const { folder } = await outside();
    const source = sourceOfFolder(folder);
    for (const path of ['link.txt', 'linked/secret.txt', '../x', 'in/../../x', '/etc/passwd', 'linked']) {
      const attempts = [
        () => source.read(path),
        () => source.list(path),
        () => source.stat!(path),
        () => concat(source.stream!(path)),
      ];
      for (const attempt of attempts) {
        const error = await attempt().then(
          () => undefined,
          (thrown: unknown) => thrown,
        );
        expect(error, path).toBeInstanceOf(DatasetError);
        expect((error as DatasetError).message).toMatch(refused);
      }
    }
    await expect(source.write!('linked/new.txt', [])).rejects.toThrow(refused);
    await expect(source.write!('../new.txt', [])).rejects.toThrow(refused);
  });

  test('links within the folder, and a folder that is a link itself, are read', async () => {
    const { folder, other } = await outside();
    expect(String(await sourceOfFolder(folder).read('inside/here.txt'))).toBe('here');
    await symlink(folder, join(other, 'way'));
    expect(String(await sourceOfFolder(join(other, 'way')).read('in/here.txt'))).toBe('here');
  });

  test('are followed when the user says so; paths with dots are not', async () => {
    const source = sourceOfFolder((await outside()).folder, { followLinks: true });
    expect(String(await source.read('linked/secret.txt'))).toBe('secret');
    expect(await source.list('linked')).toContain('secret.txt');
    await expect(source.read('../x')).rejects.toThrow(refused);
  });

  test('a dataset whose pictures are on another disk says so, and opens when links may be followed', async () => {
    const { other } = await outside();
    const folder = await folderWith({ 'annotations/instances_val.json': validCoco() });
    await symlink(other, join(folder, 'val'));
    await expect(openCoco(folder)).rejects.toThrow(refused);
    const dataset = await openCoco(folder, { followLinks: true });
    expect((await dataset.at(0)).pixels.width).toBe(40);
  });

  test('a link that has nothing to do with a dataset does not keep it from being found', async () => {
    const { other } = await outside();
    const folder = await folderWith({
      'valid/_annotations.coco.json': validCoco(),
      'valid/a.jpg': '',
      'valid/b.jpg': '',
    });
    await symlink(other, join(folder, 'elsewhere'));
    expect((await openCoco(folder)).length).toBe(2);
  });

  test('one picture that the user names may be a link', async () => {
    const { folder, other } = await outside();
    await mkdir(join(folder, 'photos'));
    await symlink(join(other, 'a.jpg'), join(folder, 'photos/a.jpg'));
    expect((await openImage(join(folder, 'photos/a.jpg'))).width).toBe(40);
  });
});

test('a picture turned into a link after the dataset was opened is refused', async () => {
  const folder = await cocoFolder();
  const other = await folderWith({ 'b.jpg': await jpegOf(40, 32) });
  const dataset = await openCoco(folder);
  await writeFile(join(folder, 'images/keep'), '');
  const { rm } = await import('node:fs/promises');
  await rm(join(folder, 'images/b.jpg'));
  await symlink(join(other, 'b.jpg'), join(folder, 'images/b.jpg'));
  await expect(dataset.at(1)).rejects.toThrow(/got images\/b\.jpg, a link to/);
});
