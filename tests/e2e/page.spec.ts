import { expect, test } from '@playwright/test';

test('the page opens without an error, a refused resource or a request to another origin', async ({
  page,
  baseURL,
}) => {
  if (baseURL === undefined) throw new Error('no baseURL: any address would count as local');
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(`uncaught: ${error.message}`));
  page.on('console', (message) => {
    if (message.type() === 'error') problems.push(`console: ${message.text()}`);
  });
  page.on('request', (request) => {
    const url = request.url();
    const local = /^(data|blob):/.test(url) || url.startsWith(baseURL);
    if (!local) problems.push(`request to another origin: ${url}`);
  });

  await page.goto('/');

  await expect(page).toHaveTitle('RLHF Playground');
  await expect(page.locator('#app')).not.toBeEmpty();
  await page.waitForLoadState('networkidle');
  expect(problems).toEqual([]);
});

test('the policy refuses scripts that are written into the page', async ({ page }) => {
  await page.goto('/');
  const ran = await page.evaluate(async () => {
    const script = document.createElement('script');
    script.textContent = 'document.title = "injected"';
    document.body.append(script);
    await new Promise((later) => setTimeout(later, 50));
    return document.title === 'injected';
  });
  expect(ran).toBe(false);
});
