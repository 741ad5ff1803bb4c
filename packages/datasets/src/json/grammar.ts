// The grammar of JSON as one table: for every state and byte the state that follows, and what the scanner has to do there.

/** What surrounds a value: the file's outermost object, an array that is read entry by entry, one entry of it, or anything below. */
export const containers = { root: 0, section: 1, entry: 2, array: 3, object: 4 } as const;

/** One of `containers`. */
export type Container = (typeof containers)[keyof typeof containers];

/** What the scanner has to do at a byte; all other bytes only change the state. */
export const actions = {
  openObject: 1,
  openArray: 2,
  close: 3,
  entryColon: 4,
  entryComma: 5,
  sectionComma: 6,
  rootColon: 7,
  rootComma: 8,
  rootScalar: 9,
  refuse: 10,
} as const;

/** The states of a container that the scanner enters by itself. */
interface Entrances {
  /** Right behind the opening bracket. */
  readonly first: number;
  /** Right behind a value. */
  readonly after: number;
}

/** The table and the states to begin and end with. */
export interface Grammar {
  /** 256 numbers per state, by byte: 256 times the next state, plus what has to be done, which is mostly nothing. */
  readonly transitions: Uint16Array;
  /** What belongs in every state, for messages. */
  readonly expected: readonly string[];
  readonly start: number;
  readonly end: number;
  /** By container. */
  readonly entrances: readonly Entrances[];
}

const blanks = ' \t\n\r';
const digits = '0123456789';
const hexadecimal = `${digits}abcdefABCDEF`;

/** States as they are made, each with its row of the table. */
const stateList = () => {
  // by byte the next state, plus 256 times an action; 0 where the byte may not stand
  const rows = [new Uint16Array(256)];
  const expected = ['nothing'];
  const state = (what: string): number => {
    rows.push(new Uint16Array(256));
    expected.push(what);
    return rows.length - 1;
  };
  const on = (from: number, characters: string, to: number): void => {
    for (const character of characters) rows[from]![character.charCodeAt(0)] = to;
  };
  /** Everything `from` does not know goes where it goes from `other`. */
  const orElse = (from: number, other: number): void => {
    for (let byte = 0; byte < 256; byte++) rows[from]![byte] ||= rows[other]![byte]!;
  };
  /** The state behind an opening quote, for a text that leads to `to`. */
  const text = (to: number): number => {
    const inside = state('the end of a text');
    const escaped = state('one of "\\/bfnrtu behind a backslash');
    for (let byte = 0x20; byte < 256; byte++) rows[inside]![byte] = inside;
    on(inside, '"', to);
    on(inside, '\\', escaped);
    on(escaped, '"\\/bfnrt', inside);
    let code = escaped;
    for (const [i, letters] of ['u', hexadecimal, hexadecimal, hexadecimal].entries()) {
      const next = state('four hexadecimal digits');
      on(code, letters, next);
      code = next;
      if (i === 3) on(code, hexadecimal, inside);
    }
    return inside;
  };
  /** The state behind the first letter of a word that leads to `to`. */
  const word = (letters: string, to: number): number => {
    let next = to;
    for (let i = letters.length - 1; i > 0; i--) {
      const before = state(`the word ${letters}`);
      on(before, letters[i]!, next);
      next = before;
    }
    return next;
  };
  return { rows, expected, state, on, orElse, text, word };
};

type StateList = ReturnType<typeof stateList>;

/** Makes a value possible in the state `from`; behind it follows `after`. */
const addValue = ({ state, on, orElse, text, word }: StateList, from: number, after: number): void => {
  const [zero, integer, fraction, exponent] = [1, 2, 3, 4].map(() => state('the rest of a number')) as [
    number,
    number,
    number,
    number,
  ];
  const [minus, point, letter, sign] = [1, 2, 3, 4].map(() => state('a digit')) as [
    number,
    number,
    number,
    number,
  ];
  const infinity = word('Infinity', after);
  for (const begin of [from, minus]) {
    on(begin, '0', zero);
    on(begin, digits.slice(1), integer);
    on(begin, 'I', infinity);
  }
  on(integer, digits, integer);
  for (const whole of [zero, integer]) on(whole, '.', point);
  on(point, digits, fraction);
  on(fraction, digits, fraction);
  for (const mantissa of [zero, integer, fraction]) on(mantissa, 'eE', letter);
  on(letter, '+-', sign);
  for (const before of [letter, sign, exponent]) on(before, digits, exponent);
  for (const complete of [zero, integer, fraction, exponent]) orElse(complete, after);
  on(from, '-', minus);
  on(from, '"', text(after));
  for (const letters of ['true', 'false', 'null', 'NaN']) on(from, letters[0]!, word(letters, after));
};

const openings = (list: StateList, from: number): void => {
  list.on(from, '{', actions.openObject << 8);
  list.on(from, '[', actions.openArray << 8);
};

const addArray = (list: StateList, comma: number): Entrances => {
  const { state, on, orElse } = list;
  const after = state('"," or "]"');
  const next = state('a value');
  const first = state('a value or "]"');
  for (const place of [after, next, first]) on(place, blanks, place);
  on(after, ',', (comma << 8) + next);
  on(after, ']', actions.close << 8);
  addValue(list, next, after);
  openings(list, next);
  on(first, ']', actions.close << 8);
  orElse(first, next);
  return { first, after };
};

const addObject = (list: StateList, comma: number, colon: number, scalar: number): Entrances => {
  const { rows, state, on, orElse, text } = list;
  const after = state('"," or "}"');
  const value = state('a value');
  const behindKey = state('":"');
  const key = state('a name in quotes');
  const first = state('a name in quotes or "}"');
  for (const place of [after, value, behindKey, key, first]) on(place, blanks, place);
  on(after, ',', (comma << 8) + key);
  on(after, '}', actions.close << 8);
  addValue(list, value, after);
  // what stands there so far are blanks, which lead nowhere new, and the beginnings of values without brackets
  if (scalar > 0)
    rows[value] = rows[value]!.map((to) => (to === 0 || to === value ? to : (scalar << 8) + to));
  openings(list, value);
  on(behindKey, ':', (colon << 8) + value);
  on(key, '"', text(behindKey));
  on(first, '}', actions.close << 8);
  orElse(first, key);
  return { first, after };
};

const buildGrammar = (): Grammar => {
  const list = stateList();
  const start = list.state('"{"');
  const end = list.state('the end of the file');
  const begin = list.state('"{"');
  for (const place of [start, begin]) {
    list.on(place, blanks, begin);
    list.on(place, '{', actions.openObject << 8);
  }
  // a byte-order mark, which some editors put in front
  const [second, third] = [list.state('"{"'), list.state('"{"')];
  list.on(start, '\u00ef', second);
  list.on(second, '\u00bb', third);
  list.on(third, '\u00bf', begin);
  list.on(end, blanks, end);
  const entrances = [
    addObject(list, actions.rootComma, actions.rootColon, actions.rootScalar),
    addArray(list, actions.sectionComma),
    addObject(list, actions.entryComma, actions.entryColon, 0),
    addArray(list, 0),
    addObject(list, 0, 0, 0),
  ];
  const transitions = new Uint16Array(256 * list.rows.length);
  // the other way round than it was made, so that the scanner finds a state's row without a shift
  for (const [i, row] of list.rows.entries())
    transitions.set(
      row.map((to) => (to === 0 ? actions.refuse : ((to & 255) << 8) | (to >> 8))),
      256 * i,
    );
  return { transitions, expected: list.expected, start, end, entrances };
};

/** The grammar of JSON, with NaN, Infinity and -Infinity as Python writes them. */
export const grammar: Grammar = /* @__PURE__ */ buildGrammar();
