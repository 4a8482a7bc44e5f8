import { stdin } from 'node:process'
import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { askJson, Refusal } from '../command/api.ts'
import { type Call, type Command, instanceOptions } from '../command/call.ts'
import { credentialsFile, keepToken } from '../command/credentials.ts'
import { CommandError } from '../command/jobs-folder.ts'
import { isInstanceToken, originOf, type Place } from '../command/place.ts'
import { namedIn } from './which-instance.ts'

export const login: Command = {
  name: 'login',
  takes: [{ name: 'address', words: 'an address', example: 'https://acme.example.com', optional: true }],
  needsRepo: false,
  summary: 'keeps an API token of an instance, or of a control plane, on this machine',
  details:
    'Reads the token from standard input, or asks for it. Create one at Settings → API tokens of the instance; push needs ' +
    'the scope write. Operators create theirs at API tokens of the control plane. The token is kept in a file that ' +
    'only you can read, by its address: by default the instance whose package the jobs repo names.',
  options: instanceOptions,
  run: async call => {
    const { args, dir, output, signal } = call
    const origin = args.id === '' ? namedIn(dir) : originOf(args.id, 'login')
    if (origin === null) {
      throw new CommandError(
        'login needs the address of the instance: longhouse login https://acme.example.com; operators give that of the control plane',
      )
    }
    const token = await readToken(call, origin)
    await prove({ origin, token }, signal)
    keepToken(origin, token)
    output.note(
      `${output.noteLook('green', '✓')} The token for ${origin} is kept in ${credentialsFile()}, until it is revoked`,
    )
    return 0
  },
}

/** Throws a CommandError unless the token is one of that place. */
async function prove(place: Place, signal: AbortSignal): Promise<void> {
  if (isInstanceToken(place.token)) {
    await askJson(place, '/api/jobs', { signal })
    return
  }
  try {
    await askJson(place, '/admin/instances?limit=1', { signal })
  } catch (error) {
    // A token for some instances is right, and may not list them.
    if (!(error instanceof Refusal && error.status === 403)) throw error
  }
}

async function readToken({ output, signal }: Call, origin: string): Promise<string> {
  let text = ''
  if (stdin.isTTY) {
    const { hostname } = new URL(origin)
    output.note(
      hostname.startsWith('control.')
        ? `Create a token: ${origin}/admin/tokens`
        : `Create a token with the scope write: ${origin}/settings/tokens`,
    )
    process.stderr.write('Token: ')
    // What is typed is not shown.
    const hidden = new Writable({ write: (_chunk, _encoding, done) => done() })
    const lines = createInterface({ input: stdin, output: hidden, terminal: true })
    text = await lines.question('', { signal }).finally(() => lines.close())
    output.note('')
  } else {
    for await (const chunk of stdin.setEncoding('utf8')) text += chunk
  }
  const token = text.trim()
  // An admin token may be any text of 16 characters.
  if (/^lht_[\w-]+$/.test(token) || /^(?!lht_)[!-~]{16,}$/.test(token)) return token
  throw new CommandError(
    'this is no API token; one of an instance begins with lht_ (Settings → API tokens), one of a control plane with lho_',
  )
}
