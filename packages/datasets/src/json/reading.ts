// What the scanner of JSON is given, what it hands on, and where it stands in between.

/** One entry of a top-level array: bytes that are valid JSON, and gone when the call that got them returns. */
export interface JsonEntry {
  readonly bytes: Uint8Array;
  /** Where the entry begins and ends in `bytes`. */
  readonly start: number;
  readonly end: number;
  readonly isObject: boolean;
  /** Three positions in `bytes` per member: where its key may begin, its colon, and what follows its value. */
  readonly members: Int32Array;
  readonly memberCount: number;
}

/** What to read, and where it goes. */
export interface JsonSections {
  /** The function and the file that error messages name. */
  readonly label: string;
  readonly file: string;
  /** Names of the top-level arrays to read; the file must have each once, in any order. */
  readonly names: readonly string[];
  /** Gets every entry of those arrays in the order of the file; `section` is an index into `names`. */
  readonly entry: (section: number, index: number, entry: JsonEntry) => void;
}

/** Where the reading of a file stands. */
export interface Reading {
  readonly sections: JsonSections;
  /** The bytes in memory are bytes[0 .. have); those before `base` have been read and are gone. */
  bytes: Uint8Array;
  have: number;
  base: number;
  /** Line ends before `base`. */
  lines: number;
  /** The first byte that is still needed: the beginning of a key at the top, or of an entry; -1 between them. */
  kept: number;
  state: number;
  /** The containers around the current position, the innermost at `depth - 1`. */
  readonly stack: Uint8Array;
  depth: number;
  /** The section whose key was last read at the top, or -1. */
  section: number;
  /** Whether the position is inside that section. */
  isInside: boolean;
  readonly seen: boolean[];
  index: number;
  isObject: boolean;
  /** As in `JsonEntry`, but counted from `kept`, and 0 for the end of a value that is being read. */
  members: Int32Array;
  memberCount: number;
  /** Where the key of the next member may begin. */
  keyStart: number;
}

/** Deeper nesting than any annotation has. */
export const deepestNesting: number = 1 << 12;

/** What an entry, or a key at the top, may take: far above any real one, far below the memory of a machine. */
export const largestEntry: number = 1 << 26;
