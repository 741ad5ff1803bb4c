// The verb `completion`: a script for a shell, made from the program's own tables.
import { bashScript } from '../completion/bash.ts';
import { fishScript } from '../completion/fish.ts';
import { zshScript } from '../completion/zsh.ts';
import type { CompletionOptions } from '../options.ts';
import type { VerbContext } from '../program.ts';

/** Prints the script of a shell. */
export function completionVerb({ shell }: CompletionOptions, { reporter }: VerbContext): Promise<void> {
  const scripts = { bash: bashScript, zsh: zshScript, fish: fishScript };
  reporter.result(scripts[shell].trimEnd());
  return Promise.resolve();
}
