import { git } from '../git-command.ts'
import { checkPush } from './check.ts'
import type { ReceiveAnswers, ReceiveQuestion } from './receive-protocol.ts'

type Unpack = Extract<ReceiveQuestion, { op: 'unpack' }>

/** Reads the pack from the standard input into the repository, which is thrown away if the push is refused. */
export async function unpack({ repo, from, to }: Unpack): Promise<ReceiveAnswers['unpack']> {
  const { code, stderr } = await git(['index-pack', '--stdin', '--fix-thin', '--strict'], { repo })
  if (code !== 0) {
    const detail = `${inWords(stderr)} Nothing was changed.`
    return { refused: { reason: 'the objects cannot be used', detail } }
  }
  return checkPush({ repo, from, to })
}

/** What git says of objects that it refuses, in our words where people cause it. */
function inWords(stderr: string): string {
  const line = stderr.split('\n').find(each => /^(error|fatal):/.test(each)) ?? stderr.trim()
  const found = /object (\w+): (\w+): (.*)/.exec(line)
  if (found) return `Git refuses the object ${found[1]?.slice(0, 12)}: ${found[3]} (${found[2]}).`
  if (/attempting to allocate/.test(line)) return 'A file in the push is too large.'
  if (/unresolved delta|did not receive expected object|broken link|missing/i.test(stderr)) {
    return 'The push lacks objects that it needs. If your clone is shallow, run git fetch --unshallow first.'
  }
  return `Git cannot read what was sent: ${line.replace(/^(error|fatal): /, '')}.`
}
