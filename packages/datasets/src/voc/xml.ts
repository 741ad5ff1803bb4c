// A strict reader for the XML of annotation files: elements and their text, with the place of everything that is wrong.
import { type Fault, quoted } from '../fault.ts';
import { decodeText } from '../textFile.ts';

/** An element, with where its tag begins in the text. */
export interface XmlElement {
  readonly name: string;
  /** The text directly inside, without that of the elements inside. */
  readonly text: string;
  readonly children: readonly XmlElement[];
  readonly line: number;
}

interface OpenElement extends XmlElement {
  text: string;
  readonly children: OpenElement[];
}

/** Annotations are three or four levels deep; a file of a million opening tags must not become a tree. */
const deepest = 64;

/**
 * The outermost element of an XML file, or what is wrong with the file. Attributes are checked but not kept.
 *
 * Document types are refused, so no entity can be declared: text cannot grow beyond the file.
 *
 * Source   XML 1.0, fifth edition, without document type declarations; more lenient only about the declaration at the top and
 *          about an attribute given twice, which nothing here depends on
 * Example  parseXml(new TextEncoder().encode('<a><b>1</b></a>'))
 */
export const parseXml = (bytes: Uint8Array): XmlElement | Fault => {
  const text = decodeText(bytes, declaredEncoding(bytes));
  if (typeof text !== 'string') return text;
  const scanner: Scanner = { text, at: 0, line: 1, counted: 0, open: [elementOf('', 1)] };
  const control = forbiddenAt(text);
  if (control >= 0) return malformed(scanner, control, 'characters that XML allows', text[control]!);
  while (scanner.at < text.length) {
    const fault = readText(scanner) ?? readMarkup(scanner);
    if (fault !== undefined) return fault;
  }
  const [document, ...unclosed] = scanner.open;
  if (unclosed.length > 0)
    return malformed(scanner, text.length, `</${unclosed.at(-1)!.name}>`, 'the end of the file');
  return document!.children[0] ?? malformed(scanner, text.length, 'an element', 'the end of the file');
};

/** Where the first character stands that XML does not allow; -1 when there is none. A loop takes a tenth of what a pattern takes. */
const forbiddenAt = (text: string): number => {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code < 0x20 ? code !== 0x09 && code !== 0x0a : code >= 0xfffe) return at;
  }
  return -1;
};

/** Where the reader stands; `line` is that of the offset `counted`. */
interface Scanner {
  readonly text: string;
  at: number;
  line: number;
  counted: number;
  /** The elements whose end is still to come, outermost first; the very first stands for the document. */
  readonly open: OpenElement[];
}

const elementOf = (name: string, line: number): OpenElement => ({ name, text: '', children: [], line });

/** The encoding that the declaration at the beginning names. */
const declaredEncoding = (bytes: Uint8Array): string => {
  const start = String.fromCharCode(...bytes.subarray(0, 200));
  return /^(?:\xef\xbb\xbf)?<\?xml[^>]*?\sencoding\s*=\s*["']([\w.:-]+)["']/.exec(start)?.[1] ?? 'utf-8';
};

const lineAt = (scanner: Scanner, offset: number): number => {
  const { text } = scanner;
  for (let end = text.indexOf('\n', scanner.counted); end >= 0 && end < offset; ) {
    scanner.line += 1;
    scanner.counted = end + 1;
    end = text.indexOf('\n', scanner.counted);
  }
  return scanner.line;
};

const malformed = (scanner: Scanner, offset: number, needs: string, got: string): Fault => ({
  kind: 'malformed file',
  place: `line ${lineAt(scanner, offset)}`,
  sentence: `needs ${needs}, got ${got === 'the end of the file' ? got : quoted(got.slice(0, 30))}. Repair the file, or write it again.`,
});

/** Takes in everything up to the next tag. */
const readText = (scanner: Scanner): Fault | undefined => {
  const { text, at, open } = scanner;
  const tag = text.indexOf('<', at);
  const end = tag < 0 ? text.length : tag;
  if (end === at) return undefined;
  const found = text.slice(at, end);
  scanner.at = end;
  const stray = open.length === 1 ? found.search(/\S/) : -1;
  if (stray >= 0) return malformed(scanner, at + stray, 'text inside an element only', found.slice(stray));
  if (!found.includes('&')) {
    open.at(-1)!.text += found;
    return undefined;
  }
  let wrong = -1;
  open.at(-1)!.text += found.replace(
    /&(?:(\w+)|#(\d{1,7})|#x([\da-f]{1,6}));|&/gi,
    (all, name, decimal, hex, where) => {
      const character = referred(name, decimal ?? (hex && `0x${hex}`));
      if (character === undefined && wrong < 0) wrong = at + Number(where);
      return character ?? all;
    },
  );
  if (wrong < 0) return undefined;
  return malformed(
    scanner,
    wrong,
    'one of &amp; &lt; &gt; &quot; &apos; or a numbered character',
    text.slice(wrong),
  );
};

const named: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

const referred = (name: string | undefined, code: string | undefined): string | undefined => {
  if (name !== undefined) return Object.hasOwn(named, name) ? named[name] : undefined;
  const point = Number(code);
  const isCharacter =
    point === 9 ||
    point === 10 ||
    point === 13 ||
    (point >= 32 && point < 0xd800) ||
    (point > 0xdfff && point <= 0x10ffff);
  return code !== undefined && isCharacter ? String.fromCodePoint(point) : undefined;
};

/** Takes in one tag, comment, CDATA section or instruction. */
const readMarkup = (scanner: Scanner): Fault | undefined => {
  const { text, at } = scanner;
  if (at >= text.length) return undefined;
  if (text.startsWith('<!--', at)) return skipTo(scanner, '-->', 4);
  if (text.startsWith('<?', at)) return skipTo(scanner, '?>', 2);
  if (text.startsWith('<![CDATA[', at)) return readCdata(scanner);
  if (text.startsWith('<!', at))
    return malformed(scanner, at, 'XML without a document type or entities', text.slice(at));
  return text[at + 1] === '/' ? readEnd(scanner) : readStart(scanner);
};

const skipTo = (scanner: Scanner, end: string, from: number): Fault | undefined => {
  const found = scanner.text.indexOf(end, scanner.at + from);
  if (found < 0) return malformed(scanner, scanner.at, end, 'the end of the file');
  scanner.at = found + end.length;
  return undefined;
};

const readCdata = (scanner: Scanner): Fault | undefined => {
  const { at, open } = scanner;
  if (open.length === 1) return malformed(scanner, at, 'text inside an element only', '<![CDATA[');
  const fault = skipTo(scanner, ']]>', 9);
  if (fault === undefined) open.at(-1)!.text += scanner.text.slice(at + 9, scanner.at - 3);
  return fault;
};

const endTag = /<\/([\p{L}_:][\p{L}\p{N}_:.-]*)\s*>/uy;
const startTag =
  /<([\p{L}_:][\p{L}\p{N}_:.-]*)((?:\s+[\p{L}_:][\p{L}\p{N}_:.-]*\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*(\/?)>/uy;

const readEnd = (scanner: Scanner): Fault | undefined => {
  const { text, at, open } = scanner;
  const current = open.at(-1)!;
  endTag.lastIndex = at;
  const name = endTag.exec(text)?.[1];
  if (name === undefined || open.length === 1 || name !== current.name)
    return malformed(
      scanner,
      at,
      open.length === 1 ? 'a tag that opens' : `</${current.name}>`,
      text.slice(at),
    );
  scanner.at = endTag.lastIndex;
  open.pop();
  return undefined;
};

const readStart = (scanner: Scanner): Fault | undefined => {
  const { text, at, open } = scanner;
  startTag.lastIndex = at;
  const found = startTag.exec(text);
  if (found === null) return malformed(scanner, at, 'a complete tag', text.slice(at));
  const [, name, , slash] = found;
  const parent = open.at(-1)!;
  if (open.length === 1 && parent.children.length > 0)
    return malformed(scanner, at, 'one outermost element', found[0]);
  if (open.length > deepest) return malformed(scanner, at, `at most ${deepest} levels of elements`, found[0]);
  const element = elementOf(name!, lineAt(scanner, at));
  parent.children.push(element);
  if (slash === '') open.push(element);
  scanner.at = startTag.lastIndex;
  return undefined;
};
