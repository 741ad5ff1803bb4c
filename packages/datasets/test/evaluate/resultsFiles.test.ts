// Results files of VOC and WiderFace: round trips, malformed lines, and whatever bytes a file may hold.
import {
  DatasetError,
  formatVocResults,
  formatWiderFaceResult,
  parseCocoResults,
  parseVocResults,
  parseWiderFaceGroundTruth,
  parseWiderFaceResult,
  toVocDetections,
  toWiderFaceResult,
  type VocDetection,
} from '@autoassign/datasets';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

const seed = 51;
const classes = ['dog', 'diningtable', 'table'];

const anyNumber = fc.double({ min: -1e4, max: 1e4, noNaN: true });
const anyVocDetection: fc.Arbitrary<VocDetection> = fc
  .tuple(
    fc.constantFrom('000005', '2008_000001'),
    fc.nat(2),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
  )
  .chain(([imageId, label, score]) =>
    fc
      .tuple(anyNumber, anyNumber, anyNumber, anyNumber)
      .map((box) => ({ imageId, label, box, score: score === 0 ? 0 : score })),
  );

/** Numbers, text and what spoils them. */
const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc
    .array(
      fc.constantFrom('a', '1', '-2.5', '1e999', 'nan', ' ', '\n', '\r\n', '0x10', '[', '{', '"faces"'),
      {
        maxLength: 30,
      },
    )
    .map((parts) => parts.join('')),
);

const onlyDatasetErrors = (read: (text: string) => unknown): void =>
  fc.assert(
    fc.property(anyText, (text) => {
      try {
        read(text);
      } catch (error) {
        expect(error).toBeInstanceOf(DatasetError);
        expect((error as DatasetError).file).toBe('e/r_dog.txt');
      }
    }),
    { seed, numRuns: 300 },
  );

describe('VOC results files', () => {
  test('writing and reading gives the boxes back within 0.0005 and the rest exactly', () => {
    fc.assert(
      fc.property(fc.array(anyVocDetection, { maxLength: 10 }), (detections) => {
        const files = formatVocResults(classes, detections);
        expect(files.map(({ name }) => name)).toEqual(classes.map((name) => `comp4_det_test_${name}.txt`));
        const read = files.flatMap(({ name, text }) => parseVocResults(text, name, classes));
        const expected = detections.toSorted((a, b) => a.label - b.label);
        expect(read.map(({ box: _, ...rest }) => rest)).toEqual(expected.map(({ box: _, ...rest }) => rest));
        for (const [i, { box }] of read.entries())
          for (const [side, value] of box.entries())
            expect(Math.abs(value - expected[i]!.box[side]!)).toBeLessThan(0.000501);
      }),
      { seed, numRuns: 100 },
    );
  });

  test('pixels count from 1 in the file, and its x2 and y2 are the last ones of the box', () => {
    const found = { boxes: [7, 9, 17, 30], scores: [0.25], labels: [0] };
    const detections = toVocDetections({ file: 'JPEGImages/000005.jpg' }, found);
    expect(detections).toEqual([{ imageId: '000005', label: 0, box: [7, 9, 17, 30], score: 0.25 }]);
    const options = { competition: 'comp3', set: 'val' };
    expect(formatVocResults(['dog'], detections, options)).toEqual([
      { name: 'comp3_det_val_dog.txt', text: '000005 0.25 8.000 10.000 17.000 30.000\n' },
    ]);
  });

  test('Windows line ends, blank lines and a byte-order mark are no trouble', () => {
    const text = '\uFEFF000005 0.5 1 1 10 10\r\n\r\n000007  .5e-1\t1 1 10 10';
    expect(parseVocResults(text, 'comp4_det_test_table.txt', classes)).toEqual([
      { imageId: '000005', label: 2, box: [0, 0, 10, 10], score: 0.5 },
      { imageId: '000007', label: 2, box: [0, 0, 10, 10], score: 0.05 },
    ]);
  });

  test.each([
    [
      'a 1 1 1 2 2\nb 1 1 1 2\n',
      'x_dog.txt',
      /x_dog\.txt\): needs an image, a score and four coordinates, got "b 1 1 1 2" in line 2/,
    ],
    ['a nan 1 1 2 2', 'x_dog.txt', /in line 1/],
    ['a 1 1 1 2 1e999', 'x_dog.txt', /in line 1/],
    [
      '',
      'x_horse.txt',
      /x_horse\.txt\): needs a name that ends with one of the classes \(dog, diningtable, table\)/,
    ],
  ])('refuses %j in %s', (text, file, message) => {
    expect(() => parseVocResults(text, file, classes)).toThrow(message);
  });

  test.each([
    [{ label: 3 }, /detections\[0\]\.label\): needs labels from 0 to 2, got 3/],
    [{ imageId: 'a b' }, /needs an id without blanks, got "a b"/],
    [{ score: Number.NaN }, /detections\[0\]\): needs finite numbers/],
  ])('refuses to write %j', (change, message) => {
    const detection = { imageId: 'a', label: 0, box: [0, 0, 1, 1] as const, score: 1, ...change };
    expect(() => formatVocResults(classes, [detection])).toThrow(message);
  });
});

describe('WiderFace results files', () => {
  test('writing and reading gives exactly the same', () => {
    const anyDetection = fc
      .tuple(fc.tuple(anyNumber, anyNumber, anyNumber, anyNumber), anyNumber)
      .map(([bbox, score]) => ({
        bbox: bbox.map((value) => value + 0) as unknown as typeof bbox,
        score: score + 0,
      }));
    fc.assert(
      fc.property(fc.array(anyDetection, { maxLength: 6 }), (detections) => {
        const result = { event: '0--Parade', name: '0_Parade_1', detections };
        const { name, text } = formatWiderFaceResult(result);
        expect(name).toBe('0--Parade/0_Parade_1.txt');
        expect(parseWiderFaceResult(text, `results/${name}`)).toEqual(result);
      }),
      { seed, numRuns: 100 },
    );
  });

  test('corners become widths and heights', () => {
    const result = toWiderFaceResult(
      { file: 'images/0--Parade/a.jpg' },
      { boxes: [3, 4, 10, 20], scores: [0.5] },
    );
    expect(result).toEqual({
      event: '0--Parade',
      name: 'a',
      detections: [{ bbox: [3, 4, 7, 16], score: 0.5 }],
    });
    expect(formatWiderFaceResult(result).text).toBe('0--Parade/a.jpg\n1\n3 4 7 16 0.5\n');
  });

  test.each([
    ['', /needs the name of an image, got "" in line 1/],
    ['a.jpg', /needs the number of detections, got "" in line 2/],
    ['a.jpg\n1.5\n', /needs the number of detections, got "1.5" in line 2/],
    ['a.jpg\n2\n1 2 3 4 5\n', /needs 2 detections, got "1" in line 3/],
    ['a.jpg\n1\n1 2 3 4\n', /needs x, y, width, height and score, got "1 2 3 4" in line 3/],
  ])('refuses %j', (text, message) => {
    expect(() => parseWiderFaceResult(text, 'e/a.txt')).toThrow(message);
  });

  test('a file without a folder has no event', () => {
    expect(() => parseWiderFaceResult('a.jpg\n0\n', 'a.txt')).toThrow(/last folder is the event/);
  });
});

describe('WiderFace lists as JSON', () => {
  const valid = {
    settings: ['hard'],
    images: [{ event: '0--Parade', name: 'a', faces: [[5, 5, 20, 30]], counted: { hard: [0] } }],
  };

  test('are read as they stand', () => {
    expect(parseWiderFaceGroundTruth(JSON.stringify(valid), 'lists.json')).toEqual(valid);
  });

  test.each([
    [{ settings: 'hard' }, /lists\.json\): needs a list of names as settings, got "hard"/],
    [{ images: {} }, /needs a list as images/],
    [{ images: [null] }, /needs a name as images\[0\]\.event, got undefined/],
    [{ images: [{ ...valid.images[0], faces: [[1, 2, 3]] }] }, /a list of boxes as images\[0\]\.faces/],
    [
      { images: [{ ...valid.images[0], counted: { hard: [1] } }] },
      /indices of faces as images\[0\]\.counted\.hard, got \[1\]/,
    ],
  ])('refuses %j', (change, message) => {
    const text = JSON.stringify({ ...valid, ...change });
    expect(() => parseWiderFaceGroundTruth(text, 'lists.json')).toThrow(message);
  });
});

describe('any text is read or refused with an error that names the file', () => {
  const file = 'e/r_dog.txt';
  test('as VOC results', () => onlyDatasetErrors((text) => parseVocResults(text, file, classes)));
  test('as WiderFace results', () => onlyDatasetErrors((text) => parseWiderFaceResult(text, file)));
  test('as COCO results', () => onlyDatasetErrors((text) => parseCocoResults(text, file)));
  test('as lists', () => onlyDatasetErrors((text) => parseWiderFaceGroundTruth(text, file)));
});
