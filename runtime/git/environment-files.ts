/** True for `.env` and its kin: they hold secrets, and once in the history they stay there. Examples of them hold none. */
export const isEnvironment = (name: string) =>
  /^\.env($|\.)/.test(name) && !/\.(example|sample|template|dist|defaults|schema)$/.test(name)
