import { readFileSync } from 'node:fs';
import { expect, test } from './fixture';

test('the page opens without an error or a refused resource', async ({ page }) => {
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(`uncaught: ${error.message}`));
  page.on('console', (message) => {
    if (message.type() === 'error') problems.push(`console: ${message.text()}`);
  });

  await page.goto('/');

  await expect(page).toHaveTitle('RLHF Playground');
  await expect(page.locator('#app')).not.toBeEmpty();
  await page.waitForLoadState('networkidle');
  expect(problems).toEqual([]);
});

test('the build says whose work is in it', async ({ request }) => {
  const { dependencies } = JSON.parse(readFileSync('package.json', 'utf8')) as {
    dependencies: Record<string, string>;
  };
  const notice = await (await request.get('THIRD-PARTY.txt')).text();
  for (const [name, version] of Object.entries(dependencies)) {
    expect(notice).toContain(`${name} ${version} (`);
  }
});
