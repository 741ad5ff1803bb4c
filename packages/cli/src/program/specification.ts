// What a verb of the command line is, as data: commander's commands, shell completion and the documentation are made from it.
import type { VerbContext, Verbs } from '../program.ts';

/** What a shell may offer for a value, beyond the choices that are listed. */
type CompletedBy = 'folder' | 'file' | 'setting';

/** One option of a verb. */
export interface OptionSpec {
  /** As commander writes them, such as `--steps <n>`, `--resume [folder]` or `--no-fma`. */
  readonly flags: string;
  readonly description: string;
  /** The value when the option is absent; without one the verb decides. */
  readonly default?: unknown;
  /** The only values there are; checked here, or by `parse` where there is one. */
  readonly choices?: readonly string[];
  /** The value of what was typed; throws a UsageError that names the option. */
  readonly parse?: (text: string) => unknown;
  /** Names of options, in the spelling of the parsed ones, that cannot be given together with this. */
  readonly conflicts?: readonly string[];
  readonly isMandatory?: true;
  readonly completedBy?: CompletedBy;
}

/** One word or list of words after the verb that is not an option. */
export interface ArgumentSpec {
  /** Its field among the parsed options. */
  readonly name: string;
  readonly description: string;
  /** Any number of words from here on. */
  readonly isList?: true;
  readonly isOptional?: true;
  readonly choices?: readonly string[];
  readonly parse?: (text: string) => unknown;
  readonly completedBy?: CompletedBy;
}

/** A command line that works, and what it does. */
export interface Example {
  readonly words: string;
  readonly meaning: string;
}

/** How much a verb says, as every one of them is told. */
export interface SpeechOptions {
  readonly json?: true;
  readonly quiet?: true;
}

/** A verb's work: resolves when done and rejects with a one-line error. */
export type Work<Options> = (options: Options, context: VerbContext) => Promise<void>;

/** One verb: what may follow it, what it does, and how it is used. */
export interface VerbSpec {
  /** The words that name it: `train`, `data info`. */
  readonly name: string;
  readonly description: string;
  readonly arguments?: readonly ArgumentSpec[];
  readonly options: readonly OptionSpec[];
  readonly examples: readonly Example[];
  /** What else the help and the documentation say. */
  readonly notes?: string;
  readonly run: (verbs: Verbs) => Work<SpeechOptions>;
}

/**
 * The specification of a verb whose parsed options have the type `Options`: that options and type agree is stated here, once per verb.
 *
 * Example  verbSpec<DoctorOptions>({ name: 'doctor', …, run: (verbs) => verbs.doctor })
 */
export function verbSpec<Options extends object>(
  spec: Omit<VerbSpec, 'run'> & { readonly run: (verbs: Verbs) => Work<Options> },
): VerbSpec {
  return spec as unknown as VerbSpec;
}

/** A word that stands before several verbs, such as `data`. */
export interface VerbGroup {
  readonly name: string;
  readonly description: string;
  readonly notes: string;
}
