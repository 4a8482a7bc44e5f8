import { badRequest } from '../../../src/http/problem.ts'
import { behind, type Refusal } from './refusals.ts'

/** What a push asks for one branch or tag. Null for none: a branch that is new, or that is to be deleted. */
export interface RefCommand {
  ref: string
  from: string | null
  to: string | null
}

export interface PushRequest {
  commands: RefCommand[]
  capabilities: ReadonlySet<string>
}

/** Parses the head of a push: gitprotocol-pack(5), "Reference Update Request". Throws `bad-request`. */
export function parseCommands(lines: readonly Buffer[]): PushRequest {
  const commands: RefCommand[] = []
  let capabilities: ReadonlySet<string> = new Set()
  for (const line of lines) {
    const [text = '', more] = line.toString('utf8').replace(/\n$/, '').split('\0')
    // A shallow clone names where its history ends. What is missing behind that shows when the commits are checked.
    if (/^shallow [0-9a-f]{40}$/.test(text)) continue
    const found = /^([0-9a-f]{40}) ([0-9a-f]{40}) (\S.*)$/.exec(text)
    if (!found) throw badRequest('The body is not a push of git.')
    if (more !== undefined) capabilities = new Set(more.trim().split(' '))
    const [, from = '', to = '', ref = ''] = found
    commands.push({ ref, from: idOf(from), to: idOf(to) })
  }
  return { commands, capabilities }
}

const idOf = (text: string) => (/^0+$/.test(text) ? null : text)

/** Returns why this cannot be done whatever the commits contain; null if it can. */
export function refusalOf(
  { ref, from, to }: RefCommand,
  { branch, head }: { branch: string; head: string },
): Refusal | null {
  if (ref !== `refs/heads/${branch}`) {
    const detail = `An instance keeps one branch, ${branch}, and no tags. Push to it, as with git push origin HEAD:${branch}.`
    return { reason: `only ${branch} is kept here`, detail }
  }
  if (to === null) {
    return { reason: `${branch} cannot be deleted`, detail: `The jobs of this instance are in ${branch}.` }
  }
  return from === head ? null : behind
}
