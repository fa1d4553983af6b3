const root = document.getElementById('app');
if (root === null) throw new Error('index.html has no element with the id "app"');
root.textContent = 'RLHF Playground';
