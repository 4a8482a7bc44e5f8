import { bodyOf, receiptOf } from './body.fixture.ts'
import type { Calendar, Story } from './story.fixture.ts'

/** What an instance that died, moved or restarted may be answered with. */
const unavailable = new Set([
  'instance-unreachable',
  'instance-misrouted',
  'instance-starting',
  'instance-unhealthy',
])
/** What a hostile instance may be answered with. */
const ofHostile = new Set([...unavailable, 'instance-timed-out'])

/** Says what is wrong with how a request ended; null when it is in order. */
export function faultOf(story: Story, calendar: Calendar, idsAt: readonly string[]): string | null {
  const { end, kind, subdomain } = story
  if (!end) return 'it did not end'
  if (kind === 'control') return faultOfControl(story, calendar)
  const hostile = subdomain === 'hostile'
  const cut = calendar.has(`cut ${subdomain}`, story)
  const worker = calendar.has('worker', story)
  if (end.how === 'not taken') return null
  if (end.how === 'closed') {
    const foreign = foreignIn(end.messages?.join('\n') ?? '', story, idsAt)
    if (foreign) return foreign
    if (story.aborted || hostile || worker || (cut && end.headSeen)) return null
    // A request that meets the end of a kept connection is lost, as with any server.
    if (end.reused && !end.headSeen && calendar.has('refresh', story)) return null
    return `the connection was closed without a reason: ${end.error}`
  }
  if (end.how === 'stream') {
    const wrong = end.messages.findIndex((each, i) => !idsAt.some(id => each === `${id} ${story.nonce} ${i}`))
    if (wrong >= 0 && !hostile) return `message ${wrong} is “${end.messages[wrong]}”`
    if (story.aborted || hostile) return null
    if (end.reason === null)
      return end.messages.length === story.size ? null : `it ended early, after ${end.messages.length}`
    if (kind === 'websocket' && !end.reason.startsWith('1001 ')) return `it was closed with ${end.reason}`
    if (cut || calendar.has(`moved ${subdomain}`, story) || calendar.has('refresh', story)) return null
    return `it was closed for no reason that is known: ${end.reason}`
  }
  if (end.status !== 200 || end.type.includes('json')) {
    const code = codeOf(end)
    if (code === null) return `no document of a problem: ${end.status} ${end.body.slice(0, 200)}`
    if (hostile) return ofHostile.has(code) ? null : `a hostile instance was answered with ${code}`
    // A body that arrives while another instance takes the address goes to neither.
    if (code === 'instance-replaced') return faultOfReplaced(story, calendar)
    if (!unavailable.has(code)) return `it was answered with ${code}`
    return cut ? null : `the instance was there, and it was answered with ${code}`
  }
  if (hostile) return foreignIn(end.body, story, idsAt)
  return idsAt.some(id => end.body === expected(story, id)) ? null : `a wrong body: ${end.body.slice(0, 200)}`
}

function faultOfReplaced(story: Story, calendar: Calendar): string | null {
  const replaced = sendsBody(story) && calendar.has(`moved ${story.subdomain}`, story)
  return replaced ? null : 'nothing replaced its instance while its body arrived'
}

function sendsBody({ kind }: Story): boolean {
  return /upload|writer/.test(kind)
}

function expected(story: Story, id: string): string {
  const { nonce, size, digest } = story
  return sendsBody(story) ? receiptOf(id, nonce, digest) : bodyOf(id, nonce, size)
}

/** Lines of another request, or of another instance. */
function foreignIn(text: string, { nonce, subdomain }: Story, idsAt: readonly string[]): string | null {
  for (const [, id = '', other] of text.matchAll(/(inst_\w+) (n\d+x)/g)) {
    if (subdomain === 'hostile') return `an answer of another instance: ${id} ${other}`
    if (other !== nonce || !idsAt.includes(id)) return `an answer of another request: ${id} ${other}`
  }
  return null
}

function faultOfControl(story: Story, calendar: Calendar): string | null {
  const { end } = story
  const restarts = calendar.has('control', story)
  if (end?.how === 'closed')
    return story.aborted || calendar.has('worker', story) || (restarts && end.headSeen) ? null : end.error
  if (end?.how !== 'answer') return 'no answer'
  if (end.status === 200) return end.body === 'the control plane' ? null : `a wrong body: ${end.body}`
  const code = codeOf(end)
  return restarts && code?.startsWith('control-plane-') ? null : `it was answered with ${code}`
}

/** The code of the problem in an answer; null when it holds no problem of ours with that status. */
function codeOf(end: { status: number; type: string; body: string }): string | null {
  if (!end.type.startsWith('application/problem+json')) return null
  const { status, type } = JSON.parse(end.body) as { status: number; type: string }
  const [, code = null] = /^urn:longhouse:problem:([a-z-]+)$/.exec(type) ?? []
  return status === end.status ? code : null
}
