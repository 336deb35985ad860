// Milliseconds from the press of "Continue" to the tracker's being shown.
() =>
  new Promise((done) => {
    const tracker = document.getElementById("check-tracker");
    const began = performance.now();
    new MutationObserver(() => {
      if (tracker.textContent.trim().length === 43) done(performance.now() - began);
    }).observe(tracker, { childList: true, characterData: true, subtree: true });
    document.querySelector("#form-choose button.govuk-button").click();
  });
