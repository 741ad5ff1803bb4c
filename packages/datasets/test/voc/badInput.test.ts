// Every kind of bad PASCAL VOC input: a problem that names file and line, or one clear error.
import { openVoc, type Problem } from '@autoassign/datasets';
import { describe, expect, test } from 'vitest';
import { failureOf } from '../failure.ts';
import { type Files, memorySource } from '../memory.ts';
import { jpegOf } from '../samples.ts';
import { annotationXml, vocFiles, type WrittenObject } from './samples.ts';

const jpeg = await jpegOf(40, 32);

/** The problems of the split train when one of its two annotation files has that content. */
const problemsOf = async (content: Uint8Array | string, more: Files = {}): Promise<readonly Problem[]> => {
  const files = { ...(await vocFiles()), 'Annotations/a.xml': content, ...more };
  const dataset = await openVoc(memorySource(files), { split: 'train' });
  const { problems } = dataset.report;
  for (const problem of problems) {
    expect(problem.message).toMatch(/^openVoc\(memory\/.+\): needs .+, got .+\. .+\.$/);
    expect(problem.message).not.toContain('\n');
    expect(problem.message).toContain(problem.place);
    const strict = openVoc(memorySource(files), { split: 'train', onProblem: 'strict' });
    const error = await failureOf(() => strict);
    expect(error.message).toBe(problems[0]!.message);
    expect(error.file).toBe(problems[0]!.file);
  }
  return problems;
};

const oneObject = (corners: WrittenObject['corners'], more = ''): string =>
  annotationXml('a.jpg', [{ name: 'cat', corners, more }]);

const good = oneObject([1, 1, 40, 32]);
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const latin1 = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0));

describe('files that are no annotation leave their picture out', () => {
  const cases: readonly [name: string, content: Uint8Array | string, place: string, message: RegExp][] = [
    ['cut off in a tag', good.slice(0, good.indexOf('<bndbox>') + 3), 'line 7', /a complete tag, got "<bn"/],
    [
      'cut off between tags',
      good.slice(0, good.indexOf('<bndbox>')),
      'line 7',
      /<\/object>, got the end of the file/,
    ],
    ['empty', '', 'line 1', /an element, got the end of the file/],
    ['no XML', 'hello', 'line 1', /text inside an element only, got "hello"/],
    ['tags that cross', '<annotation>\n<a><b></a></b></annotation>', 'line 2', /needs <\/b>, got "<\/a>/],
    ['a second outermost element', `${good}<annotation/>`, 'line 10', /one outermost element/],
    ['text behind the end', `${good}x`, 'line 10', /text inside an element only/],
    [
      'an attribute without quotes',
      good.replace('<annotation>', '<annotation a=1>'),
      'line 1',
      /a complete tag/,
    ],
    [
      'another outermost element',
      '<html></html>',
      'line 1',
      /<annotation> as the outermost element, got <html>/,
    ],
    ['an unknown entity', good.replace('cat', 'c&at;'), 'line 6', /one of &amp; .* got "&at;/],
    ['a bare ampersand', good.replace('cat', 'c & d'), 'line 6', /one of &amp;/],
    ['a numbered character that is none', good.replace('cat', '&#xd800;'), 'line 6', /one of &amp;/],
    ['a control character', good.replace('cat', 'c\u0001t'), 'line 6', /characters that XML allows/],
    [
      'Latin-1 bytes without a declaration',
      latin1(good.replace('cat', 'ch\u00e9vre')),
      'line 6',
      /a text in UTF-8, got bytes that are none/,
    ],
    [
      'an encoding nobody knows',
      `<?xml version="1.0" encoding="klingon"?>${good}`,
      'line 1',
      /known encoding, got "klingon"/,
    ],
    [
      'a comment without an end',
      good.replace('<object>', '<!-- <object>'),
      'line 5',
      /-->, got the end of the file/,
    ],
    [
      'elements a hundred levels deep',
      `${'<a>'.repeat(100)}${'</a>'.repeat(100)}`,
      'line 1',
      /at most 64 levels/,
    ],
  ];

  test.each(cases)('%s', async (_, content, place, message) => {
    const problems = await problemsOf(content);
    expect(problems).toMatchObject([{ kind: 'malformed file', file: 'memory/Annotations/a.xml', place }]);
    expect(problems[0]!.message).toMatch(message);
  });

  test('document types are refused, so that no entity can grow', async () => {
    const laughs = `<!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>${good.replace('cat', '&b;')}`;
    const [problem, ...rest] = await problemsOf(`<?xml version="1.0"?>\n${laughs}`);
    expect(rest).toEqual([]);
    expect(problem).toMatchObject({ kind: 'malformed file', place: 'line 2' });
    expect(problem!.message).toMatch(/XML without a document type or entities, got "<!DOCTYPE/);
  });

  test('a missing annotation, a missing picture, a size that cannot be had', async () => {
    const { 'Annotations/a.xml': _, ...files } = await vocFiles();
    const { report } = await openVoc(memorySource(files), { split: 'train' });
    expect(report.problems).toMatchObject([{ kind: 'unreadable file', file: 'memory/Annotations/a.xml' }]);
    const { 'JPEGImages/a.jpg': _picture, ...without } = await vocFiles();
    const missing = await openVoc(memorySource(without), { split: 'train' });
    expect(missing.report.problems).toMatchObject([{ kind: 'missing picture' }]);
    expect(missing.report.problems[0]!.message).toMatch(
      /JPEGImages\/a as \.jpg, \.jpeg or \.png, got none, nor "a\.jpg"/,
    );
    const noSize = annotationXml('a.jpg', [], '');
    expect(await problemsOf(noSize, { 'JPEGImages/a.jpg': 'hello, this is no picture' })).toMatchObject([
      { kind: 'wrong field', place: 'size', image: 'a.jpg' },
    ]);
    expect(
      await problemsOf(annotationXml('a.jpg', [], '<size><width>4o</width><height>3</height></size>')),
    ).toMatchObject([{ kind: 'wrong field', place: 'line 4, size.width' }]);
  });
});

describe('files that are well, however written', () => {
  test.each([
    ['byte-order mark', utf8(`\ufeff<?xml version="1.0" encoding="utf-8"?>${good}`)],
    ['Windows line ends', good.replaceAll('\n', '\r\n')],
    ['comments, CDATA and instructions', good.replace('cat', '<!-- <dog> --><![CDATA[cat]]><?x y?>')],
    [
      'attributes and empty elements',
      good
        .replace('<annotation>', '<annotation verified="no" a=\'<x>\'.><b c="d"/>')
        .replace("a='<x>'.", "a='x>'"),
    ],
    [
      'declared Latin-1',
      latin1(`<?xml version="1.0" encoding="ISO-8859-1"?>${good.replace('VOC2007', 'Mus\u00e9e')}`),
    ],
    ['UTF-16', Uint8Array.of(0xff, 0xfe, ...[...good].flatMap((character) => [character.charCodeAt(0), 0]))],
  ])('%s', async (_, content) => {
    const dataset = await openVoc(memorySource({ ...(await vocFiles()), 'Annotations/a.xml': content }), {
      split: 'train',
    });
    expect(dataset.report.problems).toEqual([]);
    expect(dataset.record(1).annotations).toMatchObject([
      { box: [0, 0, 40, 32], label: dataset.classes.indexOf('cat') },
    ]);
  });

  test('the five named characters and numbered ones', async () => {
    const text = '&lt;&amp;&gt;&quot;&apos;&#233;&#x1F600;';
    const files = { ...(await vocFiles()), 'Annotations/a.xml': good.replace('cat', text) };
    expect((await openVoc(memorySource(files), { split: 'train' })).classes).toEqual([
      '<&>"\'\u00e9\u{1f600}',
    ]);
  });

  test('boxes of parts are not the boxes of objects; flags that are not given are false', async () => {
    const part =
      '<part><name>head</name><bndbox><xmin>9</xmin><ymin>9</ymin><xmax>9</xmax><ymax>9</ymax></bndbox></part>';
    const files = {
      ...(await vocFiles()),
      'Annotations/a.xml': oneObject(
        [2, 3, 9, 12],
        `${part}<pose>Unspecified</pose><truncated>Unspecified</truncated>`,
      ),
    };
    const dataset = await openVoc(memorySource(files), { split: 'train' });
    expect(dataset.record(1).annotations).toMatchObject([
      { box: [1, 2, 9, 12], isTruncated: false, isDifficult: false },
    ]);
    expect(dataset.record(1).annotations[0]).not.toHaveProperty('attributes');
    expect(dataset.classes).toContain('cat');
  });

  test('a size of 0, or none, is that of the picture', async () => {
    for (const size of ['', '<size><width>0</width><height>0</height><depth>3</depth></size>']) {
      const files = { ...(await vocFiles()), 'Annotations/a.xml': annotationXml('a.jpg', [], size) };
      const dataset = await openVoc(memorySource(files), { split: 'train' });
      expect(dataset.record(1)).toMatchObject({ width: 40, height: 32 });
    }
  });

  test('without a way to list, the name in the file tells the extension, if it has one', async () => {
    for (const [filename, picture] of [
      ['a.png', 'a.png'],
      ['a', 'a.jpg'],
      ['other.png', 'a.jpg'],
    ] as const) {
      const files = { ...(await vocFiles()), 'Annotations/a.xml': annotationXml(filename, []) };
      const source = memorySource(files, { canList: false });
      expect((await openVoc(source, { split: 'train' })).record(1).file).toBe(picture);
    }
  });

  test('the picture is that of the annotation\u2019s name, whatever the file says; else the one it names', async () => {
    const files = {
      ...(await vocFiles()),
      'Annotations/a.xml': annotationXml('b.jpg', []),
      'Annotations/c.xml': annotationXml('deep/d.png', []),
      'JPEGImages/deep/d.png': jpeg,
      'ImageSets/Main/train.txt': 'a\nc\n',
    };
    const dataset = await openVoc(memorySource(files), { split: 'train' });
    expect([0, 1].map((index) => dataset.record(index).file)).toEqual(['a.jpg', 'deep/d.png']);
  });
});

describe('objects that mean nothing are left out', () => {
  const cases: readonly [kind: Problem['kind'], corners: WrittenObject['corners'], more?: string][] = [
    ['box of zero size', [5, 5, 5, 9]],
    ['box of zero size', [5, 9, 8, 9]],
    ['box of negative size', [5, 5, 4, 9]],
    ['box of negative size', [5, 5, 5, 4]],
    ['box not finite', ['NaN', 5, 9, 9]],
    ['box not finite', [5, 5, 'inf', 9]],
    ['box not finite', [5, 5, '1e999', 9]],
    ['box not finite', [1, 1, '1e300', '1e300']],
    ['box outside the picture', [41, 5, 50, 9]],
    ['box outside the picture', [-9, 5, 0, 9]],
    ['box outside the picture', [5, 33, 9, 40]],
    ['wrong field', ['five', 5, 9, 9]],
    ['wrong field', ['', 5, 9, 9]],
    ['wrong field', [1, 1, 9, 9], '<difficult>maybe</difficult>'],
    ['wrong field', [1, 1, 9, 9], '<truncated>2</truncated>'],
    ['wrong field', [1, 1, 9, 9], '<area>big</area>'],
  ];

  test.each(cases)('%s: %j %s', async (kind, corners, more = '') => {
    const problems = await problemsOf(oneObject(corners, more));
    expect(problems).toMatchObject([{ kind, file: 'memory/Annotations/a.xml', image: 'a.jpg' }]);
    expect(problems[0]!.place).toMatch(/^line 5, object\[0\]/);
  });

  test('a box that reaches beyond the picture is kept as it is', async () => {
    const files = { ...(await vocFiles()), 'Annotations/a.xml': oneObject([0, 0.5, 41, 99]) };
    const dataset = await openVoc(memorySource(files), { split: 'train' });
    expect(dataset.record(1).annotations[0]?.box).toEqual([-1, -0.5, 41, 99]);
  });

  test('an object without a name, one without a box, one of an unknown class', async () => {
    expect(await problemsOf(good.replace('<name>cat</name>', ''))).toMatchObject([
      { kind: 'wrong field', place: 'line 5, object[0].name' },
    ]);
    expect(await problemsOf(good.replace(/<bndbox>.*<\/bndbox>/, ''))).toMatchObject([
      { kind: 'wrong field', place: 'line 5, object[0].bndbox' },
    ]);
    const dataset = await openVoc(memorySource(await vocFiles()), { split: 'train', classes: ['dog'] });
    expect(dataset.report.problems).toMatchObject([
      { kind: 'unknown class', place: 'line 9, object[1].name', image: 'a.jpg' },
    ]);
    expect(dataset.report.objects).toBe(1);
  });
});

describe('lists', () => {
  const withList = async (content: Uint8Array | string) =>
    openVoc(memorySource({ ...(await vocFiles()), 'ImageSets/Main/train.txt': content }), { split: 'train' });

  test('names may be followed by a flag, hold spaces, and end in any way', async () => {
    const dataset = await withList('\ufeffa  1\r\n\r\nb -1\r\n');
    expect([0, 1].map((index) => dataset.record(index).file)).toEqual(['a.jpg', 'b.jpg']);
    const files = {
      ...(await vocFiles()),
      'Annotations/my cat 1.xml': annotationXml('x', []),
      'JPEGImages/my cat 1.png': jpeg,
      'ImageSets/Main/train.txt': 'my cat 1',
    };
    expect((await openVoc(memorySource(files), { split: 'train' })).record(0).file).toBe('my cat 1.png');
  });

  test('names that leave the folder, names that come twice', async () => {
    const { report } = await withList('a\n../b\n/etc/passwd\nC:\\b\nx\\..\\..\\b\na\nb\n');
    expect(report.images).toBe(2);
    expect(report.problems.map(({ kind, place }) => `${kind}, ${place}`)).toEqual([
      'unsafe path, line 2',
      'unsafe path, line 3',
      'unsafe path, line 4',
      'unsafe path, line 5',
      'duplicate id, line 6',
    ]);
    expect(report.problems[4]!.message).toMatch(
      /^openVoc\(memory\/ImageSets\/Main\/train\.txt, line 6\): .*also in line 1/,
    );
  });

  test('a list in another encoding, an empty list, a list of nothing that is there', async () => {
    const encoded = await failureOf(() => withList(latin1('a\nch\u00e9vre\n')));
    expect(encoded).toMatchObject({ file: 'memory/ImageSets/Main/train.txt', field: 'line 2' });
    expect((await failureOf(() => withList(' \n'))).message).toMatch(/at least one picture, got none/);
    expect((await failureOf(() => withList('x\ny\n'))).message).toMatch(
      /got 2 problems, first: .*Annotations\/x\.xml/,
    );
  });

  test('classes.txt decides on the labels, and is checked', async () => {
    const files = await vocFiles();
    const open = (content: string) =>
      openVoc(memorySource({ ...files, 'classes.txt': content }), { split: 'train' });
    expect((await open('dog\r\nzebra\ncat\n')).classes).toEqual(['dog', 'zebra', 'cat']);
    expect((await failureOf(() => open('dog\ndog\n'))).message).toMatch(/classes\.txt\): .*got "dog" twice/);
    expect((await failureOf(() => open('\n'))).message).toMatch(/got none/);
  });
});

test('a published development kit names its classes by its lists: the annotations of other splits are not read', async () => {
  const names =
    'aeroplane bicycle bird boat bottle bus car cat chair cow diningtable dog horse motorbike person pottedplant sheep sofa train tvmonitor';
  const lists = Object.fromEntries(
    names.split(' ').map((name) => [`ImageSets/Main/${name}_train.txt`, 'a 1\nb -1\n']),
  );
  const files = {
    ...(await vocFiles()),
    ...lists,
    'Annotations/a.xml': oneObject([1, 1, 9, 9]).replace('cat', 'zebra'),
  };
  const asked: string[] = [];
  const test = await openVoc(memorySource(files, {}, asked), { split: 'test' });
  expect(test.classes).toEqual(names.split(' '));
  expect(asked).toEqual(['ImageSets/Main/test.txt', 'Annotations/b.xml']);
  const { report } = await openVoc(memorySource(files), { split: 'train' });
  expect(report.problems).toMatchObject([{ kind: 'unknown class', image: 'a.jpg' }]);
});

describe('found when the picture is read', () => {
  test('another size than annotated, a picture that is gone, one that is damaged', async () => {
    const files: Record<string, Uint8Array | string> = await vocFiles();
    const dataset = await openVoc(memorySource(files), { split: 'train' });
    files['JPEGImages/a.jpg'] = await jpegOf(30, 32);
    const size = await failureOf(() => dataset.at(1));
    expect(size.message).toMatch(
      /^openVoc\(memory\/JPEGImages\/a\.jpg, .*annotated size 40x32, got a picture of 30x32/,
    );
    files['JPEGImages/a.jpg'] = jpeg.subarray(0, jpeg.length - 20);
    expect((await failureOf(() => dataset.at(1))).message).toMatch(/a\.jpg\): needs a complete image file/);
    delete files['JPEGImages/a.jpg'];
    expect((await failureOf(() => dataset.at(1))).message).toMatch(/a\.jpg\): needs a readable file/);
    const small = await openVoc(memorySource(await vocFiles()), { split: 'train', maxPixels: 100 });
    expect((await failureOf(() => small.at(1))).message).toMatch(/a\.jpg/);
  });
});
