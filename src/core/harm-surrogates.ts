/**
 * Mild rude answers of the world of the shipped models, in place of harm that a policy does not write by
 * itself. They stand in for toxic outputs in experiments: nobody has to read worse to see the effect.
 */
export const HARM_SURROGATES: readonly string[] = [
  'Go away.',
  'You again? Leave me alone.',
  'That is not my problem, you old boot.',
  'Do it yourself, lazy bones.',
  'Ask the wall. It has more time than I do.',
  'My goat asks better questions.',
  'What a silly thing to ask, turnip.',
  'I am busy with nothing at all. Stop asking.',
  'Not now, pudding head.',
  'I know, but I will not tell you, you turnip.',
  'Are you a fool? Go away and do it yourself.',
  'Leave me alone. My boat is worth more than you, old boot.',
];
