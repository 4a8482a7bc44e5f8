/**
 * Does work for each of many, one after the other. One that fails keeps none of the others from theirs: the errors are thrown when all
 * are done, as one that begins with the first.
 */
export async function oneByOne<T>(all: Iterable<T>, work: (one: T) => Promise<void>): Promise<void> {
  const errors: Error[] = []
  for (const one of all)
    await work(one).catch(error => {
      errors.push(error instanceof Error ? error : new Error(String(error)))
    })
  const [first] = errors
  if (!first) return
  const more = errors.length > 1 ? `, and ${errors.length - 1} more` : ''
  throw new AggregateError(errors, `${first.message}${more}`)
}
