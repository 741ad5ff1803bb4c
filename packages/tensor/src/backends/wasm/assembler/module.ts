// The module builder: collects function types, imports, functions and exports, and encodes the binary.

import type { Expression, Operand, Statement, ValueType } from './code.ts';
import { expression, operand, statement, typeCode } from './code.ts';
import type { Chunk, FunctionIndex } from './encode.ts';
import { byteWriter, flatten, name, packed, sized, unsigned, vector } from './encode.ts';

/** A local variable or parameter; used as an expression it reads its value. */
export interface Local<T extends ValueType> extends Expression<T> {
  readonly set: (value: Operand<T>) => Statement;
  /** Sets the local and leaves the value. */
  readonly tee: (value: Operand<T>) => Expression<T>;
}

/** What a function gives back. */
type ResultType = ValueType | 'void';

/** The code of a call or body with the given result. */
type Code<R extends ResultType> = R extends ValueType ? Expression<R> : Statement;

type Locals<P extends readonly ValueType[]> = { readonly [I in keyof P]: Local<P[I]> };
type Operands<P extends readonly ValueType[]> = { readonly [I in keyof P]: Operand<P[I]> };

/** A function of the module, defined or imported. */
export interface FunctionRef<P extends readonly ValueType[], R extends ResultType> {
  readonly params: P;
  readonly result: R;
  readonly index: FunctionIndex;
  /** The name it is exported under; absent when it is private to the module. */
  readonly exportName?: string;
  readonly call: (...operands: Operands<P>) => Code<R>;
}

/** The parameters and result of a function; with `exportName` JavaScript can call it. */
interface Signature<P extends readonly ValueType[], R extends ResultType> {
  readonly params: P;
  readonly result: R;
  readonly exportName?: string;
}

/** A tuple of N items of one type. */
export type Repeat<
  Item,
  N extends number,
  Items extends readonly Item[] = readonly [],
> = Items['length'] extends N ? Items : Repeat<Item, N, readonly [...Items, Item]>;

/** A function of N integers, the common form of a subroutine. */
export type Subroutine<N extends number, R extends ResultType = 'void'> = FunctionRef<Repeat<'i32', N>, R>;

/** Makes a new local of the function under construction. */
export type NewLocal = <T extends ValueType>(type: T) => Local<T>;

/** Statements, the last of which is replaced by the result's expression when there is one. */
type FunctionBody<R extends ResultType> = readonly [...Statement[], Code<R>] | FunctionBodyEmpty<R>;

type FunctionBodyEmpty<R extends ResultType> = R extends 'void' ? readonly Statement[] : never;

/** The memory a module imports as `env.memory`; limits in pages of 64 KiB. */
export interface MemoryLimits {
  readonly minimumPages?: number;
  /** A shared memory must state it. */
  readonly maximumPages?: number;
  readonly shared?: boolean;
}

/** A module under construction. */
export interface ModuleBuilder {
  readonly define: <const P extends readonly ValueType[], R extends ResultType>(
    signature: Signature<P, R>,
    body: (params: Locals<P>, local: NewLocal) => FunctionBody<R>,
  ) => FunctionRef<P, R>;
  /** A JavaScript function that instantiation must supply as `imports[moduleName][fieldName]`. */
  readonly importFunction: <const P extends readonly ValueType[], R extends ResultType>(
    moduleName: string,
    fieldName: string,
    signature: { readonly params: P; readonly result: R },
  ) => FunctionRef<P, R>;
  /** What `make` gave the first time this key was asked for: how equal functions are emitted once. */
  readonly once: <Made>(key: string, make: () => Made) => Made;
  /** A name no other function of the module has, for exports whose key is too long to be one. */
  readonly uniqueName: (kind: string) => string;
  readonly toBytes: () => Uint8Array<ArrayBuffer>;
}

/** The parameter list of N integers. */
export function integers<N extends number>(count: N): Repeat<'i32', N> {
  return Array.from({ length: count }, () => 'i32') as unknown as Repeat<'i32', N>;
}

/** N new locals of one type. */
export function newLocals<T extends ValueType, N extends number>(
  local: NewLocal,
  type: T,
  count: N,
): Repeat<Local<T>, N> {
  return Array.from({ length: count }, () => local(type)) as unknown as Repeat<Local<T>, N>;
}

interface DefinedFunction {
  readonly typeIndex: number;
  readonly locals: readonly ValueType[];
  readonly code: Chunk;
}

function localAt<T extends ValueType>(type: T, index: number): Local<T> {
  const at = unsigned(index);
  return {
    type,
    code: [0x20, at],
    set: (value) => statement([operand(type, value), 0x21, at]),
    tee: (value) => expression(type, [operand(type, value), 0x22, at]),
  };
}

function functionRef<P extends readonly ValueType[], R extends ResultType>(
  index: FunctionIndex,
  { params, result, exportName }: Signature<P, R>,
): FunctionRef<P, R> {
  const call = (...operands: Operands<P>): Code<R> => {
    const values: readonly Operand<ValueType>[] = operands;
    const code = [values.map((value, at) => operand(params[at] ?? 'i32', value)), 0x10, index];
    return { type: result, code } as Expression<ValueType> | Statement as Code<R>;
  };
  return { params, result, index, call, ...(exportName === undefined ? {} : { exportName }) };
}

function functionType(params: readonly ValueType[], result: ResultType): Chunk {
  const results = result === 'void' ? [] : [typeCode[result]];
  return [0x60, vector(params.map((type) => typeCode[type])), vector(results)];
}

/** Runs of equal types with their lengths, the form in which a body declares its locals. */
function localRuns(locals: readonly ValueType[]): readonly Chunk[] {
  const runs: { readonly type: ValueType; count: number }[] = [];
  for (const type of locals) {
    const last = runs.at(-1);
    if (last?.type === type) last.count += 1;
    else runs.push({ type, count: 1 });
  }
  return runs.map(({ type, count }) => [unsigned(count), typeCode[type]]);
}

function memoryImport({ minimumPages = 1, maximumPages, shared = false }: MemoryLimits): Chunk {
  const flags = (maximumPages === undefined ? 0 : 1) | (shared ? 2 : 0);
  const limits = [flags, unsigned(minimumPages), maximumPages === undefined ? [] : unsigned(maximumPages)];
  return [name('env'), name('memory'), 0x02, limits];
}

/**
 * An empty module that imports its memory as `env.memory`.
 *
 * Example  const builder = moduleBuilder();
 *          builder.define({ exportName: 'inc', params: ['i32'], result: 'i32' }, ([x]) => [i32.add(x, 1)]);
 *          new WebAssembly.Module(builder.toBytes());
 */
export function moduleBuilder(memoryLimits: MemoryLimits = {}): ModuleBuilder {
  const types = new Map<string, { readonly index: number; readonly code: Chunk }>();
  const imports: Chunk[] = [memoryImport(memoryLimits)];
  const functions: (DefinedFunction | undefined)[] = [];
  const exported: Chunk[] = [];
  const made = new Map<string, unknown>();
  const writer = byteWriter();

  const typeIndex = (params: readonly ValueType[], result: ResultType): number => {
    const key = `${params.join()}:${result}`;
    const known = types.get(key) ?? { index: types.size, code: functionType(params, result) };
    types.set(key, known);
    return known.index;
  };

  const define: ModuleBuilder['define'] = (signature, body) => {
    const { params, result, exportName } = signature;
    const ref = functionRef({ imported: false, ordinal: functions.length }, signature);
    functions.push(undefined); // the place is taken first: the body may define functions of its own
    if (exportName !== undefined) exported.push([name(exportName), 0x00, ref.index]);
    const locals: ValueType[] = [];
    const newLocal: NewLocal = (type) => localAt(type, params.length + locals.push(type) - 1);
    const parameters = params.map((type, index) => localAt(type, index));
    const parts: readonly (Expression<ValueType> | Statement)[] = body(
      parameters as unknown as Locals<typeof params>,
      newLocal,
    );
    functions[ref.index.ordinal] = {
      typeIndex: typeIndex(params, result),
      locals,
      code: packed(
        parts.map((part) => part.code),
        writer,
      ),
    };
    return ref;
  };

  const importFunction: ModuleBuilder['importFunction'] = (moduleName, fieldName, signature) => {
    const ref = functionRef({ imported: true, ordinal: imports.length - 1 }, signature);
    const type = unsigned(typeIndex(signature.params, signature.result));
    imports.push([name(moduleName), name(fieldName), 0x00, type]);
    return ref;
  };

  const once = <Made>(key: string, make: () => Made): Made => {
    if (!made.has(key)) made.set(key, make());
    return made.get(key) as Made;
  };

  const uniqueName = (kind: string): string => `${kind} ${functions.length}`;

  const toBytes = (): Uint8Array<ArrayBuffer> => {
    const importedFunctions = imports.length - 1;
    const defined = functions.filter((entry) => entry !== undefined);
    const section = (id: number, content: Chunk): Chunk => [id, sized(flatten(content, importedFunctions))];
    const bodies = defined.map(({ locals, code }) =>
      sized(flatten([vector(localRuns(locals)), code, 0x0b], importedFunctions)),
    );
    return flatten([
      [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
      section(1, vector([...types.values()].map((type) => type.code))),
      section(2, vector(imports)),
      section(3, vector(defined.map((entry) => unsigned(entry.typeIndex)))),
      section(7, vector(exported)),
      section(10, vector(bodies)),
    ]);
  };

  return { define, importFunction, once, uniqueName, toBytes };
}
