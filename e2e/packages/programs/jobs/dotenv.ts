import dotenv from 'dotenv'

/** A file of settings, the name of which is no `.env` so that it can be committed here. */
export async function run() {
  const { parsed } = dotenv.config({ path: 'settings.env.example', quiet: true })
  return { parsed, inEnvironment: process.env.REPORT_TITLE }
}
