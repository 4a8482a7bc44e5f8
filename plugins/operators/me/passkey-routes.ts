import { z } from 'zod'
import { type Route, route } from '../../../src/http/route.ts'
import { unknownPasskey } from '../problems.ts'
import { credentialField, optionsSchema, passkeyNameField } from '../wire.ts'
import { back, done, type MeParts, path, type Self, specOf } from './self.tsx'

/** Passkeys. */
export function passkeyRoutes(parts: MeParts, { me, again, leavesAWay }: Self): Route[] {
  const { book, passkeys } = parts
  const { change } = specOf(parts)
  const removePasskey = (method: 'post' | 'delete', at: string) =>
    route({
      ...{ ...change, method, path: at },
      summary: method === 'post' ? 'Same as DELETE, for forms' : 'Remove one of your passkeys',
      params: z.object({ id: z.string() }),
      ...(method === 'post' ? { body: z.object({}) } : {}),
      answers: done('Removed'),
      handle: (c, { params: { id } }) => {
        const row = me(c)
        const found = passkeys.list(row.id).find(each => each.id === id)
        if (!found) throw unknownPasskey('You have no such passkey. It may be removed already.')
        leavesAWay(row, { passkeys: book.view(row).passkeys - 1 })
        passkeys.remove(row, found)
        return back(c)
      },
    })

  return [
    route({
      ...{ ...change, method: 'post', path: `${path}/passkeys/options` },
      summary: 'What a browser needs to make a passkey',
      audit: { none: 'it changes nothing until the passkey has answered' },
      answers: { 200: { description: 'The options', schema: optionsSchema } },
      handle: async c => {
        c.header('Cache-Control', 'no-store')
        return c.json(await passkeys.makingOptions(c, me(c)))
      },
    }),
    route({
      ...{ ...change, method: 'post', path: `${path}/passkeys` },
      summary: 'Add a passkey',
      body: z.object({ credential: credentialField, name: passkeyNameField }),
      answers: done('Added'),
      onInvalid: again,
      handle: async (c, { body }) => {
        const store = await passkeys.made(c, me(c), body)
        await c.get('askAgain')()
        book.changeSignIn(me(c), `passkey “${body.name}” added`, store)
        return back(c)
      },
    }),
    removePasskey('delete', `${path}/passkeys/{id}`),
    removePasskey('post', `${path}/passkeys/{id}/remove`),
  ]
}
