// SVG as plain data: elements, paths and the one function that turns them into text, escaping everything.

/** One SVG element; attributes with numbers are written with at most two decimals. */
export interface SvgElement {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string | number>>;
  readonly children: readonly SvgNode[];
}

/** An element, or text between elements. */
export type SvgNode = SvgElement | string;

/** A point of a drawing: x to the right, y down. */
export type Point = readonly [x: number, y: number];

/** A number as SVG text with at most two decimals, never in exponent form. */
export function formatNumber(value: number): string {
  const rounded = Math.round(value * 100) / 100;
  return rounded === 0 ? '0' : String(rounded); // 0 also for -0
}

/** An SVG element as data. */
export function element(
  name: string,
  attributes: Readonly<Record<string, string | number>>,
  children: readonly SvgNode[] = [],
): SvgElement {
  return { name, attributes, children };
}

const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Whether XML allows a character: no control characters but tab and line breaks, no halves of pairs. */
function isAllowed(character: string): boolean {
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x20) return character === '\t' || character === '\n' || character === '\r';
  return code !== 0xfffe && code !== 0xffff && !(code >= 0xd800 && code <= 0xdfff);
}

/** Text that is safe between tags and inside attributes; characters that XML forbids become U+FFFD. */
export function escapeXml(text: string): string {
  return Array.from(
    text,
    (character) => escapes[character] ?? (isAllowed(character) ? character : '\ufffd'),
  ).join('');
}

/** The text of a node and all that is in it. */
export function renderSvg(node: SvgNode): string {
  if (typeof node === 'string') return escapeXml(node);
  const attributes = Object.entries(node.attributes)
    .map(
      ([name, value]) => ` ${name}="${typeof value === 'number' ? formatNumber(value) : escapeXml(value)}"`,
    )
    .join('');
  if (node.children.length === 0) return `<${node.name}${attributes}/>`;
  return `<${node.name}${attributes}>${node.children.map(renderSvg).join('')}</${node.name}>`;
}

/** The text of a whole SVG file of the given size in pixels. */
export function svgDocument(
  width: number,
  height: number,
  children: readonly SvgNode[],
  attributes: Readonly<Record<string, string | number>> = {},
): string {
  const size = { xmlns: 'http://www.w3.org/2000/svg', width, height, viewBox: `0 0 ${width} ${height}` };
  return `${renderSvg(element('svg', { ...size, ...attributes }, children))}\n`;
}

/** Path data of straight lines through the points; a point that is not finite leaves a gap. */
export function linePath(points: readonly Point[]): string {
  let isPenDown = false;
  let path = '';
  for (const [x, y] of points) {
    const isDrawn = Number.isFinite(x) && Number.isFinite(y);
    if (isDrawn) path += `${isPenDown ? 'L' : 'M'}${formatNumber(x)} ${formatNumber(y)}`;
    isPenDown = isDrawn;
  }
  return path;
}
