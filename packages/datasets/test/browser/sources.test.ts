// Datasets in the browser from chosen files, from a folder handle, and from an address.
import {
  type FileSource,
  openCoco,
  sourceOfDirectory,
  sourceOfFiles,
  sourceOfFolder,
} from '@autoassign/datasets';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { platform } from '../../src/platform/browser/index.ts';
import { renderShapes } from '../../src/shapes/render.ts';

const { pixels, boxes } = renderShapes(0, 3);
const [x1, y1, x2, y2] = boxes[0]!;
const annotation = { id: 1, image_id: 1, category_id: 1, bbox: [x1, y1, x2 - x1, y2 - y1] };
const content = {
  images: [{ id: 1, file_name: 'a.jpg', width: 128, height: 128 }],
  categories: [{ id: 1, name: 'thing' }],
  annotations: [annotation],
};

/** A file as a browser gives it when its folder was chosen. */
const chosen = (path: string, parts: BlobPart[]): File => {
  const file = new File(parts, path.replace(/^.*\//, ''), { lastModified: 1000 });
  Object.defineProperty(file, 'webkitRelativePath', { value: path });
  return file;
};

const jpeg = async (): Promise<Uint8Array<ArrayBuffer>> =>
  new Uint8Array(await platform.encodeJpeg(pixels, 95));

const inPieces = (bytes: Uint8Array): ReadableStream =>
  new ReadableStream({
    start: (controller) => {
      for (let at = 0; at < bytes.length; at += 1 << 18)
        controller.enqueue(bytes.subarray(at, at + (1 << 18)));
      controller.close();
    },
  });

const piecesOf = async (source: FileSource, path: string): Promise<Uint8Array[]> => {
  const pieces: Uint8Array[] = [];
  for await (const piece of source.stream!(path)) pieces.push(piece);
  return pieces;
};

afterEach(() => vi.unstubAllGlobals());

describe('chosen files', () => {
  test('a chosen folder is a dataset', async () => {
    const source = sourceOfFiles([
      chosen('cells/images/train/a.jpg', [await jpeg()]),
      chosen('cells/annotations/instances_train.json', [JSON.stringify(content)]),
    ]);
    const dataset = await openCoco(source);
    const sample = await dataset.at(0);
    expect(sample.annotations[0]?.box).toEqual(boxes[0]);
    expect(sample.pixels.width).toBe(128);
    expect(await source.list('images')).toEqual(['train']);
    expect(await source.stat!('images/train/a.jpg')).toMatchObject({ modified: 1000 });
  });

  test('files without a folder lie at the top; a file that was not chosen is an error with its name', async () => {
    const source = sourceOfFiles([new File([JSON.stringify(content)], 'instances_x.json')], 'dropped');
    expect(await source.list('')).toEqual(['instances_x.json']);
    await expect(openCoco(source)).rejects.toThrow(/openCoco\(dropped\): needs the image a\.jpg/);
    await expect(openCoco(source, { annotations: 'y.json' })).rejects.toThrow(
      /dropped\/y\.json\): needs a readable file, got "no such file was chosen"/,
    );
    const twice = [new File([], 'a'), new File([], 'a')];
    expect(() => sourceOfFiles(twice)).toThrow(/needs files of different paths, got a twice/);
  });
});

describe('a folder handle', () => {
  const directory = async (files: Record<string, BlobPart>): Promise<FileSystemDirectoryHandle> => {
    const root = await navigator.storage.getDirectory();
    const top = await root.getDirectoryHandle(`set-${crypto.randomUUID()}`, { create: true });
    for (const [path, bytes] of Object.entries(files)) {
      const parts = path.split('/');
      let folder = top;
      for (const part of parts.slice(0, -1)) folder = await folder.getDirectoryHandle(part, { create: true });
      const writable = await (await folder.getFileHandle(parts.at(-1)!, { create: true })).createWritable();
      await writable.write(bytes as Blob);
      await writable.close();
    }
    return top;
  };

  test('it is a dataset, and what was read of a large file is kept in it', async () => {
    // blanks make the file large enough to be kept
    const text = JSON.stringify(content) + ' '.repeat(9 << 20);
    const handle = await directory({ 'annotations/instances_val.json': text, 'val/a.jpg': await jpeg() });
    const source = sourceOfDirectory(handle);
    const first = await openCoco(source);
    expect((await first.at(0)).pixels.height).toBe(128);
    expect(await source.list('annotations')).toEqual(['instances_val.json', 'instances_val.json.autoassign']);
    const read: string[] = [];
    const watched: FileSource = {
      ...source,
      stream: (path) => {
        read.push(path);
        return source.stream!(path);
      },
    };
    const again = await openCoco(watched);
    expect(again.record(0)).toEqual(first.record(0));
    expect(read).toEqual([]);
    await expect(openCoco(source, { annotations: 'no/such.json' })).rejects.toThrow(/no\/such\.json/);
    await (await navigator.storage.getDirectory()).removeEntry(handle.name, { recursive: true });
  });
});

describe('an address', () => {
  test('files come in pieces, with size and time, and nothing outside is asked for', async () => {
    const bytes = new TextEncoder().encode(JSON.stringify(content) + ' '.repeat(1 << 20));
    const asked: string[] = [];
    const serve = async (url: string, { method }: RequestInit = {}): Promise<Response> => {
      asked.push(`${method} ${url}`);
      const headers = {
        'content-length': String(bytes.length),
        'last-modified': new Date(5000).toUTCString(),
      };
      if (url.endsWith('.jpg')) return new Response(method === 'HEAD' ? null : await jpeg());
      return url.endsWith('gone.json')
        ? new Response('', { status: 404 })
        : new Response(method === 'HEAD' ? null : inPieces(bytes), { headers });
    };
    vi.stubGlobal('fetch', serve);
    const source = sourceOfFolder('https://example.org/data');
    expect(await source.stat!('labels x.json')).toEqual({ size: bytes.length, modified: 5000 });
    const pieces = await piecesOf(source, 'labels x.json');
    expect(pieces.length).toBeGreaterThan(1);
    expect(pieces.reduce((sum, { length }) => sum + length, 0)).toBe(bytes.length);
    expect(asked).toEqual([
      'HEAD https://example.org/data/labels%20x.json',
      'GET https://example.org/data/labels%20x.json',
    ]);
    await expect(source.stat!('a.jpg')).rejects.toThrow(/does not tell the size/);
    await expect(source.read('../secret')).rejects.toThrow(/needs files inside the folder, got \.\.\/secret/);
    expect(asked).toHaveLength(3);

    const progress: number[] = [];
    const dataset = await openCoco('https://example.org/data/labels.json', {
      onProgress: ({ done, total }) => progress.push(done / total),
    });
    expect((await dataset.at(0)).annotations[0]?.box).toEqual(boxes[0]);
    expect(progress.at(-1)).toBe(1);
    expect(progress.length).toBeGreaterThan(1);
    await expect(openCoco('https://example.org/data/gone.json')).rejects.toThrow(
      /gone\.json\): needs a readable file, got "the server answered 404"/,
    );
  });
});
