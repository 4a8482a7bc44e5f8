import axios from 'axios'
import { mailTeam } from '../lib/mail'

/** Whether the shop answers. */
export async function run() {
  const { status } = await axios.get('http://127.0.0.1:9/', { validateStatus: () => true })
  if (status !== 200) await mailTeam('The shop is down', `It answered ${status}.`)
}
