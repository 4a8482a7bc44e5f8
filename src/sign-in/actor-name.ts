import { z } from 'zod'

/** Control characters, characters that show nothing, and those that turn the direction of what follows. */
const unseen = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u

/** As whom the program itself acts in the audit log. */
const reserved = new Set(['admin token', 'not signed in', 'the control plane', 'the reconciler', 'billing'])

/** The name of an operator or of a token, as the audit log shows it: no other may look the same. `example` completes "must be". */
export const actorName = (example: string) =>
  z
    .string(`must be ${example}`)
    .trim()
    .min(1, 'must not be empty')
    .max(80, 'must be at most 80 characters')
    .refine(
      name => !unseen.test(name),
      'must be one line, without invisible characters and marks of direction',
    )
    .refine(
      name => !reserved.has(name.normalize('NFKC').toLowerCase().replaceAll(/\s+/g, ' ').trim()),
      'is a name that the program uses for itself in the audit log; choose another one',
    )
