console.log("# the browser's part follows");
