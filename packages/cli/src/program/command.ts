// The commander program of the table of verbs: parsing a command line with it calls one of them.
import { Argument, Command, type CommanderError, Option } from 'commander';
import { UsageError } from '../exitCodes.ts';
import { ownVersion } from '../ownVersion.ts';
import type { Surroundings, Verbs } from '../program.ts';
import type { ArgumentSpec, Example, OptionSpec, SpeechOptions, VerbSpec, Work } from './specification.ts';
import { verbGroups, verbTable } from './verbTable.ts';

/** Runs a verb's work with the options it was given; `createProgram` calls it once per command line. */
export type Invoke = (work: Work<SpeechOptions>, options: SpeechOptions) => Promise<void>;

function optionOf(spec: OptionSpec): Option {
  const option = new Option(spec.flags, spec.description);
  if (spec.default !== undefined) option.default(spec.default);
  if (spec.parse !== undefined) option.argParser(spec.parse);
  else if (spec.choices !== undefined) option.choices(spec.choices);
  if (spec.conflicts !== undefined) option.conflicts([...spec.conflicts]);
  return option.makeOptionMandatory(spec.isMandatory ?? false);
}

function argumentOf({ name, description, isList, isOptional, choices, parse }: ArgumentSpec): Argument {
  const words = isList ? `${name}...` : name;
  const argument = new Argument(isOptional ? `[${words}]` : `<${words}>`, description);
  if (parse !== undefined) argument.argParser(parse);
  else if (choices !== undefined) argument.choices(choices);
  return argument;
}

/** Examples and notes as the end of a help text. */
function helpEnd(examples: readonly Example[], notes: string | undefined): string {
  const width = Math.max(0, ...examples.map(({ words }) => words.length));
  const lines = examples.map(({ words, meaning }) => `  autoassign ${words.padEnd(width)}  ${meaning}`);
  const parts = [...(lines.length === 0 ? [] : [['Examples:', ...lines].join('\n')]), notes];
  return parts.flatMap((part) => (part === undefined ? [] : [`\n${part}`])).join('\n');
}

/** Commander's message of one or two lines as one sentence after the other, ready to print. */
function usageErrorOf(command: string, error: CommanderError): Error {
  if (error.exitCode === 0 || error.code === 'commander.help') return error;
  const [what = '', hint] = error.message.replace(/^error: /, '').split('\n');
  const advice = hint?.replace(/^\(|\)$/g, '') ?? `See '${command} --help'.`;
  return new UsageError(`${what.replace(/\.$/, '')}. ${advice}`);
}

/** A command under its name, whose mistakes are reported as those of its words. */
function addCommand(parent: Command, words: string, description: string): Command {
  return parent
    .command(words.split(' ').at(-1)!)
    .description(description)
    .helpCommand(false)
    .exitOverride((error) => {
      throw usageErrorOf(`autoassign ${words}`, error);
    });
}

function addVerb(parent: Command, spec: VerbSpec, verbs: Verbs, invoke: Invoke): void {
  const command = addCommand(parent, spec.name, spec.description);
  const names = (spec.arguments ?? []).map(({ name }) => name);
  for (const argument of spec.arguments ?? []) command.addArgument(argumentOf(argument));
  for (const option of spec.options) command.addOption(optionOf(option));
  command.addHelpText('after', helpEnd(spec.examples, spec.notes));
  command.action(async () => {
    const values = Object.fromEntries(names.map((name, i) => [name, command.processedArgs[i]]));
    await invoke(spec.run(verbs), { ...command.opts(), ...values });
  });
}

/** The commander program with all verbs. */
export function createProgram(verbs: Verbs, invoke: Invoke, { stdout, stderr }: Surroundings): Command {
  const program = new Command('autoassign')
    .description('Train, evaluate and look at AutoAssign object detectors.')
    .helpCommand(false)
    .version(ownVersion(), '--version')
    .configureOutput({
      writeOut: (text) => stdout.write(text),
      writeErr: (text) => stderr.write(text),
      outputError: () => undefined, // runProgram prints every error, in one line
    })
    .exitOverride((error) => {
      throw usageErrorOf('autoassign', error);
    });
  const isWithin = (group: string, { name }: VerbSpec): boolean => name.startsWith(`${group} `);
  for (const spec of verbTable)
    if (!verbGroups.some(({ name }) => isWithin(name, spec))) addVerb(program, spec, verbs, invoke);
  for (const { name, description, notes } of verbGroups) {
    const group = addCommand(program, name, description);
    const within = verbTable.filter((spec) => isWithin(name, spec));
    for (const spec of within) addVerb(group, spec, verbs, invoke);
    const examples = within.flatMap((spec) => spec.examples.slice(0, 1));
    group.addHelpText('after', helpEnd(examples, notes));
  }
  return program;
}
