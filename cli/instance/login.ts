import { stdin } from 'node:process'
import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { type Call, type Command, instanceOptions } from '../command/call.ts'
import { CommandError } from '../command/jobs-folder.ts'
import { askJson } from './api.ts'
import { credentialsFile, keepToken } from './credentials.ts'
import { namedIn, originOf } from './which-instance.ts'

export const login: Command = {
  name: 'login',
  takes: { name: 'address', words: 'an address', example: 'https://acme.example.com', optional: true },
  needsRepo: false,
  summary: 'keeps an API token of an instance on this machine',
  details:
    'Reads the token from standard input, or asks for it. Create one at Settings → API tokens; push needs the scope ' +
    'write. The token is kept in a file that only you can read, by the address of the instance: by default the one ' +
    'whose package the jobs repo names.',
  options: instanceOptions,
  run: async call => {
    const { args, dir, output, signal } = call
    const origin = args.id === '' ? namedIn(dir) : originOf(args.id, 'login')
    if (origin === null) {
      throw new CommandError(
        'login needs the address of the instance: longhouse login https://acme.example.com',
      )
    }
    const token = await readToken(call, origin)
    await askJson({ origin, token }, '/api/jobs', { signal })
    keepToken(origin, token)
    output.note(
      `${output.noteLook('green', '✓')} The token for ${origin} is kept in ${credentialsFile()}, until it is revoked`,
    )
    return 0
  },
}

async function readToken({ output, signal }: Call, origin: string): Promise<string> {
  let text = ''
  if (stdin.isTTY) {
    output.note(`Create a token with the scope write: ${origin}/settings/tokens`)
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
  if (/^lht_[\w-]+$/.test(token)) return token
  throw new CommandError('this is no API token; it begins with lht_ (Settings → API tokens)')
}
