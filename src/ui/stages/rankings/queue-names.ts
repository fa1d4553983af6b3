/** The queues of a labeler, as they are called on the page. */
export const QUEUE_WORDS = {
  todo: { tab: 'To do', empty: 'Nothing waits.' },
  drafts: { tab: 'Drafts', empty: 'No drafts. What you begin and leave is kept here.' },
  submitted: { tab: 'Submitted', empty: 'Nothing submitted yet.' },
  discarded: { tab: 'Discarded', empty: 'Nothing skipped.' },
} as const;

export type QueueName = keyof typeof QUEUE_WORDS;
