import { expect, test } from 'vitest';
import type { Finding } from '../../../src/core/diagnosis-finding';
import { AlarmNews } from '../../../src/ui/explain/alarm-news';

const finding = (id: Finding['id'], severity: Finding['severity'] = 'alarm'): Finding => ({
  id,
  severity,
  title: `It is ${id}`,
  steps: [1, 2],
  evidence: '',
  cause: '',
  remedy: '',
});

test('an alarm is told once, when it comes up', () => {
  const news = new AlarmNews();
  expect(news.tell('run', [])).toBeNull();
  expect(news.tell('run', [finding('kl-sign')])).toBe('Alarm: It is kl-sign.');
  expect(news.tell('run', [finding('kl-sign')])).toBeNull();
  expect(news.tell('run', [])).toBeNull();
  expect(news.tell('run', [finding('kl-sign'), finding('negative-kl')])).toBe(
    'Alarm: It is negative-kl.',
  );
});

test('warnings are not told', () => {
  const news = new AlarmNews();
  news.tell('run', []);
  expect(news.tell('run', [finding('kl-spike', 'warning')])).toBeNull();
});

test('what was there when a run came into view is not told, what comes later is', () => {
  const news = new AlarmNews();
  expect(news.tell('old', [finding('kl-sign')])).toBeNull();
  expect(news.tell('other', [finding('kl-sign')])).toBeNull();
  expect(news.tell('other', [finding('kl-sign'), finding('kl-too-high')])).toMatch(/too-high/);
});
