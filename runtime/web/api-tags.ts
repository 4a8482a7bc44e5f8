/** What the groups of the instance's API are about. */
export const apiTags = {
  audit: 'Who did what',
  auth: 'Signing in and out, and the ways to do so',
  badges: 'Images that show whether a job’s last run succeeded',
  description: 'This API description',
  health: 'Whether the instance is ready',
  jobs: 'The registered jobs, their runs and their due times',
  metrics: 'Figures for Prometheus',
  notices: 'Incidents, and the messages sent about them',
  repo: 'The jobs repo: its files, history, packages and remote',
  runs: 'What became of each run, and what it wrote',
  schedule: 'What a cron expression means',
  secrets: 'Named values that jobs get',
  settings: 'Who gets notices, and how',
  tokens: 'API tokens',
} as const
