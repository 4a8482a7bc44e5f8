import { stdin } from 'node:process'
import { createInterface } from 'node:readline/promises'
import type { Call } from './call.ts'
import { CommandError } from './jobs-folder.ts'

/** Asks for the name on standard error. Throws a CommandError unless it is typed, or comes on standard input. */
export async function confirmedByName({ output, signal }: Call, name: string): Promise<void> {
  output.note(
    `${output.noteLook('red', 'This deletes the data of')} ${output.noteLook('bold', name)} ${output.noteLook('red', 'for good.')}`,
  )
  const lines = createInterface({ input: stdin, output: process.stderr })
  try {
    const ended = new Promise<string>(resolve => lines.once('close', () => resolve('')))
    const typed = await Promise.race([lines.question(`Type ${name} to confirm: `, { signal }), ended])
    if (typed.trim() !== name) throw new CommandError(`"${name}" was not typed; nothing was deleted`)
  } finally {
    lines.close()
  }
}
